#!/bin/sh
# A day's campaign as people script it: cloned from a template, filled, linked, started, watched to its end.
# usage: run_from_template.sh http://HOST:PORT/wombat/api USER:PASSWORD TEMPLATE CAMPAIGN LIST NUMBERS
set -eu
api=$1 user=$2 template=$3 campaign=$4 list=$5 numbers=$6

say() { curl -sS "$@" | tee /dev/stderr | head -1 | grep -q ^OK; }

say "$api/campaigns/?op=clone&campaign=$template&newcampaign=$campaign"
say "$api/lists/index.jsp" --data "op=addToList&list=$list&dedupe=1" --data-urlencode "numbers=$numbers"
say "$api/campaigns/?op=addList&campaign=$campaign&list=$list"
say "$api/campaigns/?op=start&campaign=$campaign"

while state=$(curl -sS -u "$user" "$api/live/runs/" |
  jq -r --arg name "$campaign" '.result.campaigns[] | select(.name == $name) | .state') &&
  [ "$state" != COMPLETED ]; do
  sleep 0.5
done

run=$(curl -sS -u "$user" "$api/live/runs/" |
  jq -r --arg name "$campaign" '.result.campaigns[] | select(.name == $name) | .hoppercampId')
curl -sS -u "$user" "$api/reports/stats/?id=$run" | jq -r '.result.statsOut[] | "\(.gbState) \(.nCalls)"' | sort
