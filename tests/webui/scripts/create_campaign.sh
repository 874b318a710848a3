#!/bin/bash
# Makes all that a campaign needs over the API, as people script it: finds or makes, links, shows, clones, takes away.
# usage: create_campaign.sh http://HOST:PORT/wombat USER:PASSWORD CAMPAIGN
set -eu
WOMBAT=$1 AUTH="--user $2" CAMPAIGN=$3
CURLPOST="curl -sS $AUTH -X POST"

bye() {
  echo "ERROR: $1" >&2
  exit 1
}

# id ADDRESS QUERY FIELD: of the thing of that very name
id() {
  $CURLPOST "$WOMBAT/api/edit/$1/?mode=L&query=$2" | jq "[ .results[] | select((.name // .description) == \"$2\") ] | .[0].$3"
}

# put ADDRESS PARAMETERS < JSON: insert or edit; answers the status
put() {
  $CURLPOST "$WOMBAT/api/edit/$1/?mode=E$2" --data-urlencode data@- | jq -r '.status + .error'
}

echo "server $(put asterisk "" <<<'{
  "id": null, "description": "MyPBX", "serverType": "ASTERISKAMI", "ipAddress": "192.0.2.1", "port": "5038",
  "login": "wombat", "password": "amp111", "unit_len": 50, "msg_per_unit": 5, "securityKey": "", "state": "DOWN" }')"
SERVER=$(id asterisk MyPBX id)
[ "$SERVER" = null ] && bye "no server"

echo "trunk $(put trunk "" <<EOF
{ "trunkId": null, "astId": { "id": $SERVER }, "name": "tk", "dialstring": "SIP/myprovider/\${num}", "capacity": 10 }
EOF
)"
echo "end point $(put ep "" <<EOF
{ "epId": "", "type": "QUEUE", "queueName": "400", "name": "", "astId": { "id": $SERVER }, "idx": "", "campaignId": "",
  "maxChannels": 10, "extension": "401", "context": "from-internal", "boostFactor": 1, "maxWaitingCalls": 2,
  "reverseDialing": false, "stepwiseReverse": false, "securityKey": "", "description": "", "dialFind": "",
  "dialReplace": "" }
EOF
)"
for NAME in "$CAMPAIGN-numbers" "$CAMPAIGN-black"; do
  echo "list $(put list "" <<<"{ \"listId\": -1, \"name\": \"$NAME\", \"isHidden\": 0, \"securityKey\": \"\" }")"
done
TRUNK=$(id trunk tk trunkId) EP=$(id ep 400 epId)
LIST=$(id list "$CAMPAIGN-numbers" listId) BLACK=$(id list "$CAMPAIGN-black" listId)
[ "$TRUNK" = null ] || [ "$EP" = null ] || [ "$LIST" = null ] || [ "$BLACK" = null ] && bye "something is missing"

echo "number $(put list/record "&parent=$LIST" <<EOF
{ "callId": null, "number": "5551234", "listId": { "listId": $LIST },
  "attributes": [ { "isInput": true, "attrName": "SURNAME", "attrValue": "Doe" } ] }
EOF
)"
$CURLPOST "$WOMBAT/api/edit/list/record/?mode=L&parent=$LIST" | jq -r '.results[] | "\(.number) \(.attributesAsString)"'

echo "campaign $(put campaign "" <<EOF
{ "campaignId": null, "name": "$CAMPAIGN", "priority": 10, "pace": "RUNNABLE", "dial_timeout": 30000, "dial_clid": "",
  "dial_account": "", "dial_pres": "", "addlLogging": "QM_COMPATIBLE", "pauseWhenFinished": 1,
  "timeStartHr": "000000", "timeEndHr": "235959", "timeDow": "1234567", "maxCallLength": 0, "batchSize": 100,
  "httpNotify": "", "loggingAlias": "", "securityKey": "", "autopause": false, "agentClid": "", "emailAddresses": "",
  "emailEvents": "NO", "initialBoostFactor": 1.0, "initialPredictiveModel": "OFF", "amdTracking": "OFF",
  "amdParams": "", "amdAudioFile": "", "amdFaxFile": "", "campaignVars": "", "loggingQmVars": "ATTR1 ATTR2" }
EOF
)"
ID=$(id campaign "$CAMPAIGN" campaignId)
[ "$ID" = null ] && bye "no campaign"
P="&parent=$ID"

for STATUS in RS_NOANSWER RS_BUSY RS_NO_AGENT; do
  echo "rule $(put campaign/reschedule "$P" <<EOF
{ "rescheduleRuleId": null, "status": "$STATUS", "statusExt": "", "maxAttempts": 2, "retryAfterS": 300, "mode": "FIXED",
  "campaignId": -1 }
EOF
)"
done
echo "disposition $(put campaign/disposition "$P" <<<'{
  "onState": "RS_BUSY", "onExtState": "", "withRetriesPending": 0, "verb": "RESCHEDULE", "destination": "evening",
  "text": "", "deferSec": 30, "varMode": "ALL", "addlVars": "", "campaignId": -1 }')"
echo "trunk linked $(put campaign/trunk "$P" <<<"{ \"campaignId\": -1, \"trunkId\": { \"trunkId\": $TRUNK } }")"
echo "end point linked $(put campaign/ep "$P" <<<"{ \"campaignId\": -1, \"epId\": { \"epId\": $EP } }")"
for LINK in "$LIST CALL_LIST" "$BLACK BLACK_LIST"; do
  read -r KEY USE <<<"$LINK"
  echo "list linked $(put campaign/list "$P" <<EOF
{ "campaignId": -1, "cl": { "listId": $KEY }, "complete": false, "highwater": "", "clType": "$USE" }
EOF
)"
done
echo "hours $(put oh "" <<<'{ "name": "Office", "defaultMode": "DEF_OPEN", "comment": "", "hidden": false }')"
OFFICE=$(id oh Office openingHourId)
echo "hours linked $(put campaign/oh "$P" <<<"{ \"rule\": { \"openingHourId\": $OFFICE } }")"

# The last rule goes first, and the first list away, deleted as it was listed
RULE=$($CURLPOST "$WOMBAT/api/edit/campaign/reschedule/?mode=L$P" | jq -c '.results[-1]')
for TIMES in 1 2; do
  $CURLPOST "$WOMBAT/api/edit/campaign/reschedule/?mode=MU$P" --data-urlencode "data=$RULE" >/dev/null
done
$CURLPOST "$WOMBAT/api/edit/campaign/reschedule/?mode=L$P" | jq -r '.results[].status'
$CURLPOST "$WOMBAT/api/edit/campaign/list/?mode=L$P" | jq -r '.results[] | [.campaignId, .idx, .cl.name, .clType] | @csv'
LINK=$($CURLPOST "$WOMBAT/api/edit/campaign/list/?mode=L$P" | jq -c '.results[0]')
$CURLPOST "$WOMBAT/api/edit/campaign/list/?mode=D$P" --data-urlencode "data=$LINK" | jq -r '.status + " " + .results[0].cl.name'

curl -sS "$WOMBAT/api/campaigns/?op=clone&campaign=$CAMPAIGN&newcampaign=$CAMPAIGN-2" | cut -c 1-2
CLONE=$(id campaign "$CAMPAIGN-2" campaignId)
for PART in trunk ep list reschedule disposition oh; do
  echo "$PART $($CURLPOST "$WOMBAT/api/edit/campaign/$PART/?mode=L&parent=$CLONE" | jq '.results | length')"
done
$CURLPOST "$WOMBAT/api/edit/campaign/?mode=D" --data-urlencode "data={\"campaignId\": $CLONE}" | jq -r '.status'
