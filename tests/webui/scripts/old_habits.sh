#!/bin/bash
# What clients of the original got away with: a base address that ends with a slash, the log-on in it, ids as texts,
# parameters in the query and in the form, forms of each kind, a type for a body that is not sent, fields too many.
# usage: old_habits.sh http://USER:PASSWORD@HOST:PORT/wombat/api/
set -eu
API=$1

ok() { jq -r '.status + .error'; }
first() { jq -r ".results[0].$1"; }

LIST=$(curl -sS "$API/edit/list/index.jsp" -F mode=E -F 'data={"listId":"-1","name":"habits","isHidden":"0","junk":[1]}' | first listId)
CAMP=$(curl -sS -X POST "$API/edit/campaign?mode=E" -d 'data={"campaignId":"","name":"habits","priority":"7","pauseWhenFinished":"0"}' | first campaignId)
curl -sS "$API/edit/campaign/list/?mode=E" -d "parent=$CAMP" --data-urlencode \
  "data={\"campaignId\":\"-1\",\"cclId\":\"\",\"idx\":\"\",\"cl\":{\"listId\":\"$LIST\"},\"clType\":\"call_list\",\"complete\":\"false\"}" | ok
curl -sS -G "$API/edit/campaign/reschedule/index.jsp" -d mode=E -d "parent=$CAMP" --data-urlencode \
  'data={"rescheduleRuleId":"","status":"RS_AGENT_SKIP","maxAttempts":"3","retryAfterS":"120","mode":"MULTI"}' | ok
curl -sS -H 'Content-Type: application/json' "$API//lists/?op=addToList&list=habits&numbers=5551234,NAME:Ann%7C5551235&dedupe=1"
curl -sS -X POST -H 'Content-Type: application/x-www-form-urlencoded; charset=UTF-8' "$API//lists//index.jsp?op=addToList" \
  -d 'list=habits&numbers=5551234|5551236&dedupe=true'
curl -sS "$API/edit/list/record?mode=L&parent=$LIST&query=*&items=2&from=1" | jq -c '[.allResults, .startFrom, .nRecords, .results[].number]'
RECORD=$(curl -sS "$API/edit/list/record/?parent=$LIST&query=5551234" | jq -c '.results[0] | .attributes = null | .callId |= tostring')
curl -sS "$API/edit/list/record/?mode=E&parent=$LIST" --data-urlencode "data=$RECORD" | first attributesAsString
LINK=$(curl -sS "$API/edit/campaign/list/?parent=$CAMP" | jq -c '.results[0]')
curl -sS "$API/edit/campaign/list/?mode=D&parent=$CAMP" --data-urlencode "data=$LINK" | ok
curl -sS "$API/edit/campaign/list/?parent=$CAMP&query=" | jq .allResults
curl -sS -X POST "$API/campaigns/" -d op=addlist -d campaign=habits -d list=habits
curl -sS -I "$API/campaigns/?op=clone&campaign=habits&newcampaign=by-head" | head -1 | tr -d '\r'
curl -sS "$API/edit/campaign/?mode=D" -d "data={\"campaignId\":\"$CAMP\"}" | ok
curl -sS "$API/edit/campaign/?query=HEAD" | jq .allResults
