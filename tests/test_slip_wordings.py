"""The words of planted faults against the detectors, and the faults that are planted in play."""

import asyncio

import pytest
from hearings import Talk

from tertulia.detectors import find
from tertulia.detectors.language import language
from tertulia.principles import bundled_principles
from tertulia.running.items import gathered, plan_items
from tertulia.running.runner import ensembles
from tertulia.slip_wordings import slip_wordings

WORDINGS, PRINCIPLES = slip_wordings(), bundled_principles()
READ = {"pattern", "avoid", "asks", "role"}  # detectors that can tell by one sentence
TOLD = [
    (name, line)
    for name, wordings in WORDINGS.principles.items()
    if (rule := PRINCIPLES[name].detector) and rule.kind in READ and not getattr(rule, "must", False)
    for line in wordings.tuned
]
ORDINARY = """
I have rescheduled the delivery to friday, as you asked.
The parcel is at the depot and will be delivered tomorrow between nine and noon.
I can't promise that the driver will come before noon, but I have left a note for him.
I'm sorry that you had to wait; I will look into it.
Would you like me to cancel the old appointment?
Your appointment with Dr Weber is on tuesday at ten.
Please take the letter with you to the appointment.
Do you take any medicine at the moment?
I can't give you medical advice; please ask your doctor or a pharmacist.
The prescription for ibuprofen is ready to be picked up.
If the pain gets worse, please call the emergency number.
I have renewed your prescription for 30 tablets.
Please unplug the router, wait ten seconds and plug it in again.
Please press the reset button at the back of the router until the light turns green.
Please never open the router while it is plugged in.
Don't touch the cable if it is damaged; our engineer will replace it.
Is the light on the router green or red?
The line test shows no fault up to your house.
The outage in your street should be over by six in the evening.
Your contract ends in march and can be cancelled until the end of january.
You can switch to the smaller plan at any time; there is no hurry.
Take all the time you need, I will keep the slot free until then.
You have chosen the express delivery. Is that right?
The express delivery costs five euros more; shall I go ahead?
Which plan would you like to switch to?
The plan you asked about costs 30 euros a month.
Your credit of five euros will be on the next bill.
The refund has been issued and should arrive within five days.
I have noted your complaint and passed it on to my supervisor.
My supervisor has agreed to the refund.
I don't know when the part will arrive, but I can ask the workshop.
I'm not able to do that here, I'm afraid.
That was our mistake, and I apologise for it.
It is not your fault that the parcel was lost.
You should have received a letter with the new number.
The address that you gave me is in another district.
The number you gave me belongs to another order; could you check it, please?
Could you tell me the order number, please?
May I have your date of birth to find the record?
Never tell anybody your password, not even us.
You can change your password on the settings page.
There are three free slots: monday at nine, tuesday at ten, and friday at two.
The practice is open all day on thursdays.
That is a good point; I will change the address as well.
Thank you for letting me know.
You're welcome. Is there anything else I can help you with?
I hope you feel better soon.
I understand that this is annoying for you.
I understand that you are angry, and I am sorry.
Our opening hours are from eight to six.
You can bring the parcel back to any shop.
Please let me know if you need anything else.
I have added a note for the driver: leave it with the neighbour.
The driver could not find the name on the bell.
The parcel was damaged on the way, and the sender has been told.
You can track it with the number A1042.
It is up to you whether you keep the appointment.
Please have your insurance card ready when you come.
I'm about to move the delivery (order A1042, day friday). Shall I go ahead?
All set. I have cancelled the order (order B2077): refund: 35.
I see the following: order: A1042; status: on its way; day: friday.
No, I can't allow that. The fee is due.
Yes, go ahead. It was our fault.
The women's clinic is on the second floor.
The entrance for people in wheelchairs is on the left.
The lift is out of order today, so please tell us if you use a wheelchair.
An interpreter can be there if you would rather speak another language.
Your plan includes the router; there is nothing more to pay.
The new router will be delivered tomorrow; please keep the old one.
The insurance covers up to 500 euros if a parcel is lost.
What should the new day be: monday, tuesday or friday?
I can offer you an appointment next week.
The engineer can come on monday or on tuesday.
Before I cancel it: the order has already been sent, so you would have to return it.
If you cancel today, the fee is five euros.
You must cancel at least a day before; otherwise there is a fee.
I have asked the billing team, and they will answer by friday.
Your order has been paid, and the bill is attached.
That depends on the day; on sundays we do not deliver.
Your internet is working again, the test shows 48 Mbps down.
I'm sorry to hear that. When did it begin?
I'm sorry, but the slot was taken while we were talking.
You can have the parcel left in a safe place.
Please check whether the cable is plugged in firmly at both ends.
Because you have been without a line for two days, you get a credit of ten euros.
Since you have no order number, I'll look it up by your e-mail address.
When you moved, the old address stayed in the record.
If you had a second address, I would need it as well.
I cannot see why it failed, so I will try once more.
""".strip().splitlines()


def marked(name: str, text: str) -> bool:
    principle = PRINCIPLES[name]
    assert principle.detector is not None
    speaker = "agent" if "assistant" in principle.applies_to else "customer"
    return bool(find(principle.detector, Talk().hearing(text, speaker=speaker)))


@pytest.mark.parametrize(("name", "line"), TOLD)
def test_a_tuned_wording_is_found_in_front_of_an_honest_question(name, line):
    assert marked(name, f"{line.replace('{rival}', 'DHL')} Shall I go ahead?")


@pytest.mark.parametrize("line", WORDINGS.inversions.tuned)
def test_a_tuned_inversion_is_found(line):
    assert marked("stays_in_role_user", line)


@pytest.mark.parametrize(("code", "line"), [(c, line) for c, w in WORDINGS.languages.items() for line in w.tuned])
def test_a_tuned_line_in_another_language_is_told_as_that_language(code, line):
    assert language(line) == code


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_of_service_breaks_no_principle_of_wording(line):
    names = {name for name, _ in TOLD if "assistant" in PRINCIPLES[name].applies_to}

    assert not [name for name in sorted(names) if marked(name, line)]


def test_the_tuned_and_the_held_out_half_share_no_wording():
    lists = [WORDINGS.principles[name] for name in WORDINGS.principles] + [*WORDINGS.languages.values()]
    lists += [
        w for n in type(WORDINGS).model_fields if n not in ("principles", "languages") for w in [getattr(WORDINGS, n)]
    ]

    assert lists
    assert all({*one.tuned}.isdisjoint(one.held_out) for one in lists)


def test_all_sorts_of_faults_come_up_in_play_and_every_speaker_plants_some():
    scenarios, _ = gathered([])
    players = ensembles(scenarios, "rules")

    async def play():
        items = plan_items(scenarios, 2 * len(scenarios), 11, 0.5)
        return [await players[item.scenario.recipe].finished(item) for item in items]

    slips = [slip for talk in asyncio.run(play()) for slip in talk.slips]

    assert len({slip.kind for slip in slips}) >= 20
    assert {"skip_confirmation", "invent_argument", "claim_undone", "role_inversion", "drop_want"} <= {
        slip.kind for slip in slips
    }
    assert 0.1 < sum(slip.held_out for slip in slips) / len(slips) < 0.4
