from sides import *
async def test_a(kommun, region, clock):
    import time
    need, consent, *_ = story()
    print(await kommun.hears(told(need)), await kommun.hears(told(consent)))
    await kommun.sends(); await region.receives(); await region.hands_over()
    await region.sends(); await kommun.learns()
    for r in await kommun.ledger(): print(r)
    for r in await region.table("inbound"): print(r["type"], r["unit"], r["state"], r["sequence"])
    r = await kommun.row("sipStart")
    print(await region.hears(region.system.takes_charge(r.message_id, r.unit, clock.now())))
    await region.sends(); await kommun.learns()
    print(await kommun.row("sipStart"))
    print(await kommun.life(r.message_id), await region.life(r.message_id))
