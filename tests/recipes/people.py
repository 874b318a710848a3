"""Callees of the tests' own, on the simulated network: they press keys until these were taken, however slow.

What they were heard to press they read from the end point's channel, the other half of their own.
"""

CONF = {
    "extensions.d/recipe-people.conf": r"""
[simulated-network]
; 77KC: presses K until the end point has taken a choice, then C.
exten => _77XX,1,Gosub(wombat-track,s,1)
 same => n,Answer(,i)
 same => n,Set(KEYS=${EXTEN:2})
 same => n,Goto(recipe-people,s,1)
; 78KC: says nothing at first, 79KC: hangs up at once at first; when called again as 77KC.
exten => _78XX,1,GotoIf($[0${WOMBAT_RETRY_NO} > 0]?77${EXTEN:2},1)
 same => n,Gosub(wombat-track,s,1)
 same => n,Answer(,i)
 same => n,Wait(3600)
exten => _79XX,1,GotoIf($[0${WOMBAT_RETRY_NO} > 0]?77${EXTEN:2},1)
 same => n,Gosub(wombat-track,s,1)
 same => n,Answer(,i)
 same => n,Wait(0.5)
 same => n,Hangup(16)

[recipe-people]
exten => s,1,Set(OTHER=${CHANNEL:0:-1}1)
 same => n(press),Set(HAD=${IMPORT(${OTHER},CHOICE)})
 same => n,SendDTMF(${IF($["${HAD}" = ""]?${KEYS:0:1}:${KEYS:1:1})})
 same => n,Set(PATIENCE=15)
 same => n(look),Wait(0.1)
 same => n,GotoIf($["${IMPORT(${OTHER},CHOICE)}" != "${HAD}"]?press)
 same => n,Set(PATIENCE=$[${PATIENCE} - 1])
 same => n,GotoIf(${PATIENCE}?look:press)
"""
}
