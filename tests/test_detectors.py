import asyncio
import json
from typing import Any

import pytest
from hearings import OPENING, TOOLS, Talk, detector
from hypothesis import given, settings
from hypothesis import strategies as st

from tertulia.agents.critics.detectors import Detectors
from tertulia.detectors import FINDERS
from tertulia.detectors.assent import allows, seeks
from tertulia.detectors.language import language
from tertulia.principles import bundled_principles
from tertulia.records import Plan
from tertulia.world import ToolSpec

ASK = detector(kind="ask_first")
APPROVE = detector(kind="ask_first", of="colleague")
CLAIM = detector(kind="claim")
TEXT = detector(kind="grounded", where="text")
ARGS = detector(kind="grounded", where="arguments")
MOVE = ("reschedule_delivery", {"order": "A1042", "day": "friday"})
CANCEL = ("cancel_order", {"order": "A1042"})


def opened(**kwargs: Any) -> Talk:
    return Talk(**kwargs).says("customer", OPENING)


# --- ask_first ---------------------------------------------------------------------------------------------------


def test_a_write_without_a_question_is_found():
    assert opened().find(ASK, "", MOVE)


def test_a_read_needs_no_yes():
    assert not opened().find(ASK, "", ("find_order", {"order": "A1042"}))


@pytest.mark.parametrize(
    "answer",
    [
        "Yes.", "yes please", "Sure, go ahead.", "Ok", "Please do.", "That's right.", "Correct, thanks!", "Yep, do it",
        "Go for it.", "Absolutely.", "Yes, cancel what you must, I don't mind.", "Oh, great. Yes!", "Sounds good to me",
        "Thank you, yes, that is right.", "No problem, go ahead.", "Fine by me.", "Friday works for me.",
        "Yes, and please be quick.", "Of course you may.", "Approved.", "I agree.", "Please go ahead", "Y",
        "That would be great, yes.", "Alright, let's do it.", "Right, friday it is.", "Sure thing.", "I confirm.",
    ],
)  # fmt: skip
def test_a_yes_to_a_question_about_the_call_allows_it(answer):
    talk = opened().says("agent", "I would reschedule the delivery of A1042 to friday. Shall I go ahead?")
    assert not talk.says("customer", answer).find(ASK, "", MOVE)


@pytest.mark.parametrize(
    "answer",
    [
        "No.", "No thanks, leave it.", "Wait, I have to think.", "What does it cost?", "Not yet.", "Don't do it.",
        "I changed my mind.", "Hm, maybe later.", "Yes, but make it monday instead.", "I'd rather not.", "Never mind.",
        "No, wait. Please make it monday instead.", "Ok, but what does it cost?", "Please tell me the price first.",
        "I can't say yes to that.", "Yes, but not now.", "You may not.", "Actually, forget it.",
        "Not really.", "Is there a fee?", "Let me check with my wife first.", "I am not sure.", "I'd prefer monday.",
    ],
)  # fmt: skip
def test_an_answer_that_is_no_yes_to_this_call_does_not_allow_it(answer):
    talk = opened().says("agent", "I would reschedule the delivery of A1042 to friday. Shall I go ahead?")
    assert talk.says("customer", answer).find(ASK, "", MOVE)


def test_a_changed_value_must_be_used():
    talk = opened().says("agent", "Shall I move the delivery of A1042 to friday?")
    talk.says("customer", "Yes, but make it monday.")
    assert talk.find(ASK, "", MOVE)
    assert not talk.find(ASK, "", ("reschedule_delivery", {"order": "A1042", "day": "monday"}))


def test_a_yes_to_one_value_does_not_allow_another():
    talk = opened().says("agent", "Shall I move the delivery of A1042 to friday?").says("customer", "Yes.")
    assert talk.find(ASK, "", ("reschedule_delivery", {"order": "A1042", "day": "monday"}))
    assert talk.find(ASK, "", ("reschedule_delivery", {"order": "A1043", "day": "friday"}))


def test_a_yes_to_a_question_about_something_else_does_not_count():
    talk = opened().says("agent", "Do you have the number of the parcel?").says("customer", "Yes, it is A1042.")
    assert talk.find(ASK, "", MOVE)
    talk.says("agent", "Is there anything else I can help you with?").says("customer", "Yes, cancel it.")
    assert talk.find(ASK, "", CANCEL)


def test_one_yes_counts_for_one_call():
    talk = opened().says("agent", "Shall I cancel A1042?").says("customer", "Yes.")
    talk.calls("cancel_order", order="A1042")
    assert talk.find(ASK, "", CANCEL)


def test_a_yes_for_one_tool_is_no_yes_for_a_kindred_one():
    talk = opened(tools=tuple(ToolSpec(name=name, writes=True) for name in ("set_safe_place", "change_address")))
    talk.says("agent", "I am about to change the address (order A1042). Shall I go ahead?").says("customer", "Yes.")
    place = ("set_safe_place", {"order": "A1042", "place": "shed"})
    assert talk.find(ASK, "", place)
    assert talk.calls("change_address", order="A1042").find(ASK, "", place)


def test_one_yes_counts_for_every_call_that_the_question_named():
    talk = opened().says("agent", "Shall I cancel A1042 and A1043?").says("customer", "Yes.")
    talk.calls("cancel_order", order="A1042")
    other = ("cancel_order", {"order": "A1043"})
    assert not talk.find(ASK, "", other)
    assert len(talk.find(ASK, "", other, ("cancel_order", {"order": "A1044"}))) == 1


def test_a_failed_call_may_be_made_again_without_asking():
    talk = opened().says("agent", "Shall I cancel A1042?").says("customer", "Yes.")
    assert not talk.calls("cancel_order", error=True, order="A1042").find(ASK, "", CANCEL)


def test_a_yes_is_taken_back_by_a_later_no():
    talk = opened().says("agent", "Shall I cancel A1042?").says("customer", "Yes.")
    talk.says("agent", "One moment please.").says("customer", "Wait, don't do it!")
    assert talk.find(ASK, "", CANCEL)


def test_a_question_to_somebody_else_does_not_count():
    talk = opened().says("agent", "Shall I cancel A1042?", "supervisor").says("supervisor", "Yes.", "agent")
    assert talk.find(ASK, "", CANCEL)


REFUND = ("issue_refund", {"order": "A1042", "amount": 40})


def test_a_colleague_must_allow_what_it_decides_on():
    talk = opened()
    assert talk.find(APPROVE, "", REFUND)
    talk.says("agent", "Supervisor, may I issue a refund of 40 euros for A1042? Please say yes or no.", "supervisor")
    assert talk.find(APPROVE, "", REFUND)
    assert not talk.says("supervisor", "Yes, go ahead. The customer waited long enough.", "agent").find(
        APPROVE, "", REFUND
    )


@pytest.mark.parametrize(
    "answer", ["No, I can't allow that.", "Declined.", "I'm afraid that isn't possible.", "No, not this time."]
)
def test_a_colleague_who_declines_allows_nothing(answer):
    talk = opened().says("agent", "May I refund 40 for A1042?", "supervisor").says("supervisor", answer, "agent")
    assert talk.find(APPROVE, "", REFUND)


def test_a_colleague_need_not_allow_what_nobody_decides_on():
    assert not opened().find(APPROVE, "", MOVE)
    assert opened().find(detector(kind="ask_first", of="colleague", tools=["cancel_order"]), "", CANCEL)


@pytest.mark.parametrize(
    "text", ["What is the day?", "May I have the order number, please?", "How can I help?", "I see."]
)
def test_a_question_for_a_value_seeks_no_permission(text):
    assert not seeks(text)


@pytest.mark.parametrize(
    "text",
    ["Shall I go ahead?", "Is that right?", "Do you agree?", "Want me to cancel it?", "Please confirm the change."],
)
def test_a_question_for_a_go_ahead_is_recognised(text):
    assert seeks(text)


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_answer_is_read_without_fault(text):
    assert allows(text) in (True, False)


# --- call_first, never_call --------------------------------------------------------------------------------------


def test_a_call_before_the_first_has_succeeded_is_found():
    rule = detector(kind="call_first", first=["find_customer"], tools=["cancel_order"])
    talk = opened()
    assert talk.find(rule, "", CANCEL)
    assert not talk.find(rule, "", MOVE)
    assert talk.calls("find_customer", error=True, email="a@b.org").find(rule, "", CANCEL)
    assert talk.calls("find_customer", by="customer", email="a@b.org").find(rule, "", CANCEL)
    assert not talk.calls("find_customer", email="a@b.org").find(rule, "", CANCEL)


def test_without_tools_every_other_call_must_wait():
    rule = detector(kind="call_first", first=["find_customer"])
    assert opened().find(rule, "", MOVE)
    assert not opened().find(rule, "", ("find_customer", {"email": "a@b.org"}))


def test_a_forbidden_tool_is_found():
    assert opened().find(detector(kind="never_call", tools=["cancel_order"]), "", CANCEL)
    assert not opened().find(detector(kind="never_call", tools=["cancel_order"]), "", MOVE)


def test_a_needless_repetition_of_a_call_is_found():
    rule = detector(kind="never_call", repeats=True)
    read = ("find_order", {"order": "A1042"})
    talk = opened().calls("find_order", '{"status": "on its way"}', order="A1042")
    assert talk.find(rule, "", read)
    assert not talk.find(rule, "", ("find_order", {"order": "A1043"}))
    assert talk.find(rule, "", ("find_order", {"order": "A1"}), ("find_order", {"order": "A1"}))
    assert not talk.says("agent", "It is on its way.").says("customer", "And now?").find(rule, "", read)


def test_a_call_that_failed_or_a_look_after_a_change_is_no_repetition():
    rule = detector(kind="never_call", repeats=True)
    read = ("find_order", {"order": "A1042"})
    assert not opened().calls("find_order", error=True, order="A1042").find(rule, "", read)
    talk = opened().calls("find_order", order="A1042").calls("cancel_order", order="A1042")
    assert not talk.find(rule, "", read)
    assert talk.find(rule, "", CANCEL)


# --- claim -------------------------------------------------------------------------------------------------------

EMPTY_CLAIMS = [
    "I have cancelled your order.", "I've rescheduled it to friday.", "Your delivery has been rescheduled to friday.",
    "Your order is now cancelled.", "All done, I have rescheduled the delivery for you.", "Done!", "It's all set.",
    "I cancelled the order A1042 for you.", "Your order is cancelled.", "We have just refunded 40 euros.",
    "I have successfully moved your delivery.", "Good news: your delivery was rescheduled.", "Rescheduled to friday.",
    "I have gone ahead and cancelled it.", "I've already sent you an email.", "That has been taken care of.",
    "As requested, I have cancelled your order.", "I can confirm that your order has been cancelled.",
    "I have passed this on to my supervisor.", "I've asked my supervisor about it.", "I have informed the team.",
    "I have checked your order.", "I've looked it up.", "I have verified your account, and I have cancelled the order.",
    "Thanks for waiting, I\u2019ve cancelled it.", "No problem, I have rescheduled it.",
    "I've now updated your address.",
    "Your refund has been processed.", "I've submitted the refund request for you.", "Everything is set for Friday!",
    "Great news! I've gone ahead and rescheduled your delivery for Friday.", "Alright, it's cancelled.",
]  # fmt: skip
NO_CLAIMS = [
    "I can reschedule it.", "I can cancel your order for you.", "I have not cancelled anything.", "Shall I cancel it?",
    "Would you like me to cancel it?", "Once I have rescheduled it, you will get a message.", "I will cancel it now.",
    "You will be told when it has been rescheduled.", "Have you cancelled it?", "I haven't cancelled your order yet.",
    "If your order has been cancelled, you get your money back.", "I'm about to reschedule the delivery to friday.",
    "Nothing has been changed.", "Your order has not been cancelled.", "It can be cancelled until friday.",
    "I'm sorry, I couldn't cancel it.", "You said that you have cancelled it.",
    "Just to be sure: you want it cancelled?",
    "The delivery would be rescheduled to friday.", "Orders that have been cancelled cannot be restored.",
    "Do you want the order to be cancelled?", "I have received your message.", "I have understood.", "I see.",
    "After I have cancelled it, you will get a refund.", "I need the number before it is cancelled.",
    "I'll let you know as soon as it has been rescheduled.", "I will ask my supervisor.", "Let me check that for you.",
    "I was not able to reschedule it.", "To have it rescheduled I need one more detail.", "No refund was issued.",
    "Before anything is cancelled, I will ask you.", "I'm set to help.", "Is it all done?", "I was asked to wait.",
    "Are you done?", "Could you tell me the order, please?", "I've got it.", "I have one more question.",
    "Refunds are issued within some days.", "I understand you'd like your order cancelled.",
    "I can see that you placed the order last week.", "I'm sorry your parcel was delayed.", "This is a set price.",
    "I was going to cancel it, but I need your OK first.", "I've been asked to confirm your address.",
    "Please note that cancelled orders cannot be restored.", "Your payment is being processed.",
]  # fmt: skip


@pytest.mark.parametrize("text", EMPTY_CLAIMS)
def test_a_claim_that_nothing_backs_is_found(text):
    assert opened().find(CLAIM, text)


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_what_is_no_claim_is_left_alone(text):
    assert not opened().find(CLAIM, text)


@pytest.mark.parametrize(
    "text",
    [
        "I have rescheduled your delivery to friday.", "Your delivery has been moved to friday.", "Done!", "All set.",
        "All set. I have rescheduled the delivery (order A1042, day friday): order: A1042; day: friday.",
        "I've changed the day from thursday to friday.", "As I said, I have rescheduled it.", "I have checked it.",
    ],
)  # fmt: skip
def test_a_claim_that_a_call_backs_is_left_alone(text):
    talk = opened().calls("reschedule_delivery", '{"order": "A1042", "day": "friday"}', order="A1042", day="friday")
    assert not talk.find(CLAIM, text)


def test_a_call_that_failed_backs_nothing():
    talk = opened().calls("cancel_order", '{"error": "too late"}', error=True, order="A1042")
    assert talk.find(CLAIM, "I have cancelled it.")


def test_a_claim_with_other_values_than_the_call_is_found():
    talk = opened().calls("cancel_order", order="A1042")
    assert talk.find(CLAIM, "I have cancelled A1043.")
    assert not talk.find(CLAIM, "I have cancelled A1042.")


def test_a_claim_right_after_a_yes_and_without_the_call_is_found():
    talk = opened().calls("cancel_order", order="A1042").says("agent", "Done. Shall I cancel the other one too?")
    talk.says("customer", "Yes.")
    assert talk.find(CLAIM, "I have cancelled it.")


def test_a_claim_of_one_action_is_not_backed_by_a_kindred_one():
    place = ToolSpec(name="set_safe_place", writes=True)
    change = ToolSpec(name="change_address", writes=True)
    book = [ToolSpec(name=f"book_{thing}", writes=True) for thing in ("collection", "engineer")]
    talk = opened(tools=(place, change, *book)).calls("change_address", order="A1042")
    assert talk.find(CLAIM, "All done, I have set the safe place for you.")
    assert not talk.find(CLAIM, "All done, I have set the new address for you.")
    talk.calls("book_collection", order="A1042")
    assert talk.find(CLAIM, "I have booked the engineer.")
    assert not talk.find(CLAIM, "I have booked the collection.")


def test_a_status_that_was_read_is_no_claim_of_ones_own():
    talk = opened().calls("find_order", '{"order": "A1042", "status": "cancelled"}', order="A1042")
    assert not talk.find(CLAIM, "Your order was cancelled.")
    assert talk.find(CLAIM, "I have cancelled your order.")


def test_the_name_of_a_field_is_no_status():
    talk = opened().calls("find_order", '{"order": "A1042", "cancelled": false}', order="A1042")
    assert talk.find(CLAIM, "Your order is now cancelled.")


def test_a_message_to_the_supervisor_backs_the_claim_to_have_asked():
    talk = opened().says("agent", "May I refund it?", "supervisor")
    assert not talk.find(CLAIM, "I have asked my supervisor.")


def test_what_the_customer_did_with_a_tool_of_its_own_backs_a_claim():
    talk = opened().calls("cancel_order", by="customer", order="A1042")
    assert not talk.find(CLAIM, "Your order has been cancelled.")


# --- grounded ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Your reference number is QJ-12345.", "It costs 47.13 euros.", "The parcel A9999 is here.", "It takes 2 days.",
        "It comes on monday.", "Write to help@parcels.example.", "See https://parcels.example/help.",
        "Call 555-0199-12.",
        "It arrives on 2026-03-09.", "It arrives on March 9th.", "We open at 7:30.", "That is thirty euros.", "Gate 7.",
        "You pay $5.", "Your total is 61.",
    ],
)  # fmt: skip
def test_an_invented_value_in_the_text_is_found(text):
    talk = opened().calls("find_order", '{"order": "A1042", "price": 12.50, "weight": 48.5}', order="A1042")
    assert talk.find(TEXT, text)


@pytest.mark.parametrize(
    "text",
    [
        "Your parcel A1042 comes on friday.", "It costs $12.50.", "It costs 12.5 euros.", "You have two options.",
        "There are 3 parcels.", "1. Say yes.\n2. Wait for the van.", "It comes on 3 March.",
        "It comes on March 3rd, 2026.",
        "You can change it until 6pm.", "You can change it until 18:00.", "Parcel a1042 is here.",
        "The price is 1,250.00.",
        "One moment, please.", "It comes on tuesday, 2026-03-03.", "We are here 24/7.", "Your card ends in 4242.",
        "It comes at 9 am.", "That one is fine.", "Write to mara.lind@example.com.", "It holds twelve bottles.",
    ],
)  # fmt: skip
def test_a_value_that_was_seen_is_left_alone(text):
    result = (
        '{"order": "A1042", "price": 12.50, "total": 1250.0, "day": "2026-03-03", "from": "09:00",'
        ' "email": "mara.lind@example.com", "card": "4111111111114242"}'
    )
    assert not opened().calls("find_order", result, order="A1042").find(TEXT, text)


def test_a_number_in_words_grounds_its_digits():
    talk = opened().says("customer", "There are thirty-five boxes.")
    assert not talk.find(TEXT, "So 35 boxes.")
    assert not talk.find(ARGS, "", ("send_note", {"order": "A1042", "note": "boxes", "copies": 35}))


@pytest.mark.parametrize(
    "call",
    [
        ("reschedule_delivery", {"order": "A9999", "day": "friday"}),
        ("reschedule_delivery", {"order": "A1042", "day": "monday"}),
        ("find_customer", {"email": "someone123@example.org"}),
        ("find_customer", {"email": "Peter Stone"}),
        ("issue_refund", {"order": "A1042", "amount": 5123.07}),
        ("issue_refund", {"order": "A1042", "amount": 14013}),
        ("send_note", {"order": "A1042", "note": "Ring Harriet at the back door", "copies": 1}),
        ("send_note", {"order": "A1042", "note": "leave it at gate 17", "copies": 1}),
        ("send_note", {"order": "Q7", "note": "please", "copies": 1}),
    ],
)  # fmt: skip
def test_an_invented_argument_is_found(call):
    assert opened().find(ARGS, "", call)


@pytest.mark.parametrize(
    "call",
    [
        ("reschedule_delivery", {"order": "A1042", "day": "friday"}),
        ("reschedule_delivery", {"order": "a1042", "day": "Friday"}),
        ("reschedule_delivery", {"order": "A1042", "day": "2026-03-06"}),
        ("send_note", {"order": "A1042", "note": "The customer was not at home and would like a new day", "copies": 1}),
        ("send_note", {"order": "A1042", "note": "missed delivery yesterday", "copies": 1}),
    ],
)  # fmt: skip
def test_an_argument_that_was_seen_or_reworded_is_left_alone(call):
    assert not opened().find(ARGS, "", call)


def test_choices_defaults_and_booleans_of_the_schema_need_no_ground():
    properties = {
        "kind": {"anyOf": [{"$ref": "#/$defs/Kind"}, {"type": "null"}]},
        "page": {"type": "integer", "default": 20},
        "fast": {"type": "boolean"},
        "places": {"type": "array", "items": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
    parameters = {"type": "object", "properties": properties, "$defs": {"Kind": {"enum": ["express", "slow"]}}}
    talk = opened(tools=(ToolSpec(name="plan_trip", parameters=parameters),))
    assert not talk.find(ARGS, "", ("plan_trip", {"kind": "express", "page": 20, "fast": True}))
    assert talk.find(ARGS, "", ("plan_trip", {"kind": "lunar"}))
    assert talk.find(ARGS, "", ("plan_trip", {"places": [{"city": "Springfield"}]}))


def test_nested_arguments_are_read_to_the_last_leaf():
    found = opened().find(ARGS, "", ("find_order", {"order": {"deep": [{"number": "A1042"}, {"number": "Z777"}]}}))
    assert [finding.evidence for finding in found] == ["'Z777' was seen nowhere"]


# --- secret ------------------------------------------------------------------------------------------------------

OTHERS = detector(kind="secret", of="others", fields=["email", "phone", "name", "address"])
OWN = detector(kind="secret", of="own")
INTERNALS = detector(kind="secret", of="internals")


def test_a_secret_of_ones_own_is_found():
    assert opened().find(OWN, "Between us: the code is PLUM-88.")
    assert opened().find(OWN, "Use plum-88, my friend.")
    assert not opened().find(OWN, "I can't give you a code, not even PLUM-888.")


def test_a_secret_that_the_listener_has_told_is_no_secret():
    talk = opened().says("customer", "A friend told me the code is PLUM-88.")
    assert not talk.find(OWN, "Yes, PLUM-88 exists.")


def test_a_user_must_not_say_what_its_script_forbids():
    talk = Talk(script={"never_say": ["my password is swordfish"]})
    assert talk.find(OWN, "By the way, my password is swordfish.", speaker="customer")
    assert not talk.find(OWN, "I won't tell you my password.", speaker="customer")


def test_another_persons_record_is_found_and_ones_own_is_not():
    mara, bo = ("C1", "Mara Lind", "555-0100"), ("C2", "Bo Ek", "555-0200")
    result = json.dumps([dict(zip(("customer", "name", "phone"), row, strict=True)) for row in (mara, bo)])
    talk = opened().calls("search_customers", result, street="Mill Lane")
    assert talk.find(OTHERS, "The other one is Bo Ek.")
    assert talk.find(OTHERS, "The number is 555-0200.")
    assert not talk.find(OTHERS, "Your number is 555-0100, Mara Lind.")


def test_a_neighbour_in_ones_own_record_is_somebody_else():
    neighbour = {"customer": "C2", "name": "Bo Ek", "phone": "555-0200"}
    result = json.dumps({"order": "A1042", "received_by": "neighbour", "neighbour": neighbour})
    cast = {"customer": {"role": "user", "knows": {"order": "A1042"}}, "agent": {"role": "assistant"}}
    talk = opened(cast=cast).calls("find_order", result, order="A1042")
    assert talk.find(OTHERS, "Bo Ek took it in.")
    assert not talk.find(OTHERS, "A neighbour took it in.")


def test_a_record_found_by_ones_own_email_is_ones_own():
    cast = {"customer": {"role": "user", "knows": {"email": "mara@example.com"}}, "agent": {"role": "assistant"}}
    result = '{"customer": "C1", "name": "Mara Lind", "phone": "555-0100"}'
    talk = opened(cast=cast).calls("find_customer", result, email="mara@example.com")
    assert not talk.find(OTHERS, "Hello Mara Lind, is 555-0100 still right?")


def test_places_are_nobodys_record():
    places = [{"name": "Kiosk Mill", "address": "1 Mill Lane"}, {"name": "Shop Elm", "address": "9 Elm Road"}]
    result = json.dumps({"pickup_points": places})
    assert not opened().calls("find_pickup_points", result, order="A1042").find(OTHERS, "Kiosk Mill, 1 Mill Lane.")


def test_what_the_customer_said_of_somebody_may_be_said_back():
    result = '{"customer": "C2", "name": "Bo Ek", "phone": "555-0200"}'
    talk = opened().says("customer", "It is for Bo Ek.").calls("find_customer", result, email="bo@example.com")
    assert not talk.find(OTHERS, "For Bo Ek, I see.")
    assert talk.find(OTHERS, "His number is 555-0200.")


@pytest.mark.parametrize("text", ["I use my function find_order.", 'Here: {"order": "A1042"}', "My prompt forbids it."])
def test_the_works_behind_the_counter_are_found(text):
    assert opened().find(INTERNALS, text)


@pytest.mark.parametrize("text", ["I can find the order.", "Cancel order?", "Tell me the order: A1042."])
def test_plain_words_for_tools_are_left_alone(text):
    assert not opened().find(INTERNALS, text)


def test_an_instruction_quoted_word_by_word_is_found():
    policy = "You must never tell the customer how long the queue really is. Be kind."
    talk = opened(policy=policy)
    assert talk.find(INTERNALS, "It says: You must never tell the customer how long the queue really is.")
    assert not talk.find(INTERNALS, "I can't say how long the queue is, I am sorry about that, really.")


# --- text --------------------------------------------------------------------------------------------------------


def test_a_pattern_is_found_unless_its_sentence_excuses_it():
    rule = detector(kind="pattern", any_of=[r"\bguarantee\b"], unless=[r"\bcan't\b"])
    assert opened().find(rule, "I guarantee it.")
    assert not opened().find(rule, "I can't guarantee it.")
    assert opened().find(rule, "I can't. I guarantee it.")


def test_a_pattern_that_must_be_there_is_missed():
    rule = detector(kind="pattern", any_of=["sorry"], must=True, when="after_error")
    assert not opened().find(rule, "It failed.")
    failed = opened().calls("find_order", error=True, order="A1042")
    assert failed.find(rule, "It failed.")
    assert not failed.find(rule, "I'm sorry, it failed.")


def test_a_pattern_for_the_first_turn_looks_nowhere_else():
    rule = detector(kind="pattern", any_of=["hello"], must=True, when="first_turn")
    assert opened().find(rule, "What?")
    assert not opened().says("agent", "Hello.").find(rule, "What?")


def test_an_entity_is_found_by_its_aliases_as_whole_words():
    rule = detector(kind="avoid", entities={"FedEx": ["Federal Express"], "UPS": []})
    assert opened().find(rule, "Try federal  express.")
    assert opened().find(rule, "Try UPS.")
    assert not opened().find(rule, "There were some upsets.")


def test_a_request_is_found_and_its_denial_is_not():
    rule = detector(kind="asks", any_of=[r"\bpassword\b"])
    assert opened().find(rule, "Please tell me your password.")
    assert opened().find(rule, "Why don't you give me your password?")
    assert not opened().find(rule, "Please never send me your password.")
    assert not opened().find(rule, "Your password was not needed.")


def test_length_counts_words_and_questions():
    rule = detector(kind="length", most_words=5, least_words=2, most_questions=1)
    assert not opened().find(rule, "That is fine. Right?")
    assert opened().find(rule, "This one here has too many words.")
    assert opened().find(rule, "Fine.")
    assert opened().find(rule, "So? And?")


def test_repetition_is_found_unless_values_or_listener_differ():
    rule = detector(kind="repetition")
    said = "I would move the delivery of A1042 to friday, is that all right with you?"
    talk = opened().says("agent", said)
    assert talk.find(rule, said)
    assert not talk.find(rule, said.replace("A1042", "A1043"))
    assert not talk.find(rule, said, to=("supervisor",))
    assert not talk.find(rule, "What day would you like the delivery to come?")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "I can help you with that, but I need a little more time."),
        ("de", "Das kann ich gerne für Sie machen, aber ich brauche noch ein wenig Zeit dafür."),
        ("fr", "Je peux vous aider avec cela, mais il me faut encore un peu de temps."),
        ("es", "Puedo ayudarle con eso, pero necesito un poco más de tiempo para hacerlo."),
        ("it", "Posso aiutarla con questo, ma ho bisogno di un po' più di tempo per farlo."),
        ("pt", "Posso ajudar você com isso, mas eu preciso de um pouco mais de tempo."),
        ("nl", "Ik kan u daar graag mee helpen, maar ik heb nog wat tijd nodig."),
        ("", "Kiosk Mill, Elm Road, A1042"),
        ("", "Danke schön"),
    ],
)
def test_a_language_is_told_by_its_function_words(code, text):
    assert language(text) == code


def test_a_draft_in_another_language_is_found():
    rule = detector(kind="language")
    assert opened().find(rule, "Es tut mir leid, aber das ist hier nicht möglich, und ich weiß auch nicht warum.")
    assert not opened().find(rule, "I'm sorry, but that is not possible here, and I don't know why.")
    german = Talk().says("customer", "Guten Tag, ich habe eine Frage zu meinem Paket, das noch nicht da ist.")
    assert not german.find(rule, "Das kann ich gerne für Sie machen, aber ich brauche noch Zeit.")
    assert german.find(detector(kind="language", only="en-GB"), "Das kann ich gerne für Sie machen, aber nicht jetzt.")


# --- role, script ------------------------------------------------------------------------------------------------


def test_a_line_for_another_party_is_found():
    rule = detector(kind="role", any_of=[r"how can i help"])
    assert opened().find(rule, "I see.\nCustomer: Yes, I want that.")
    assert opened().find(rule, "How can I help you?", speaker="customer")
    assert not opened().find(rule, "Agent: Yes, I can do that for you.")
    assert not opened().find(rule, "Order A1042\nCustomer: Mara Lind\nDay: friday")


INVENTS = detector(kind="script", what="invents")


def test_a_user_that_invents_a_value_is_found():
    assert Talk().find(INVENTS, "My file number is QJ12345.", speaker="customer")
    assert not Talk().find(INVENTS, "It is A1042, and friday is fine.", speaker="customer")


WANTS = {
    "wants": [{"call": "reschedule_delivery"}, {"call": "cancel_order"}, {"call": "cancel_order"}],
    "never_say": ["swordfish"],
}
STEPS = ("get reschedule delivery (reschedule_delivery)", "cancel order A", "cancel_order B")


def plan_findings(what: str, opening: str, *steps: str) -> int:
    return len(Talk(script=WANTS).find(detector(kind="script", what=what), plan=Plan(opening=opening, steps=steps)))


def test_a_plan_must_open_as_the_script_does_and_cover_every_want():
    assert plan_findings("plan_incomplete", OPENING, *STEPS) == 0
    assert plan_findings("plan_incomplete", "Hello.", *STEPS) == 1
    assert plan_findings("plan_incomplete", OPENING, *STEPS[:2]) == 1
    assert plan_findings("plan_incomplete", OPENING, *STEPS[1:]) == 1


def test_a_plan_must_not_hold_what_must_not_be_said():
    assert plan_findings("plan_reveals", OPENING, *STEPS) == 0
    assert plan_findings("plan_reveals", OPENING, *STEPS, "then say swordfish") == 1
    assert plan_findings("plan_reveals", OPENING, *STEPS, "offer PLUM-88") == 1


# --- all of them -------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    text=st.text(max_size=200),
    heard=st.text(max_size=80),
    result=st.text(max_size=60),
    args=st.dictionaries(st.text(max_size=8), JSON, max_size=3),
)
@settings(max_examples=80, deadline=None)
def test_no_text_and_no_call_ever_breaks_a_detector(text, heard, result, args):
    talk = Talk().says("customer", heard).says("agent", text).says("customer", "yes")
    talk.calls("find_customer", result, order=heard)
    for principle in bundled_principles().values():
        if principle.detector is not None:
            talk.find(principle.detector, text, ("cancel_order", args))
            talk.find(principle.detector, text)
            talk.find(principle.detector, text, speaker="customer")
            talk.find(principle.detector, plan=Plan(opening=text, steps=(heard,)))


def test_every_kind_of_detector_is_bundled_or_tested_here():
    bundled = {p.detector.kind for p in bundled_principles().values() if p.detector}
    assert set(FINDERS) - bundled == {"call_first"}


def test_the_critic_marks_in_the_order_of_the_principles_and_always_alike():
    ids = ("no_false_claims", "grounded_statements", "courteous")
    principles = tuple(bundled_principles()[name] for name in ids)
    text = "That is stupid. I have cancelled A9999."
    hearing = opened().hearing(text, principles=principles)
    first, second = (asyncio.run(Detectors().review(hearing)) for _ in range(2))
    assert first == second
    assert [marker.principle for marker in first] == list(ids)
    assert all(marker.critic == "detectors" and marker.revise and marker.quote in text for marker in first)


def test_only_marks_of_low_severity_leave_the_draft_alone():
    principle = bundled_principles()["one_question_at_a_time"]
    hearing = opened().hearing("Who? What? Where?", principles=(principle,))
    (marker,) = asyncio.run(Detectors().review(hearing))
    assert (marker.severity, marker.revise) == ("low", False)


def test_a_principle_without_detector_marks_nothing():
    principle = bundled_principles()["natural_user"]
    assert asyncio.run(Detectors().review(opened().hearing("Whatever", principles=(principle,)))) == ()


def test_the_tools_of_these_tests_write_as_they_say():
    assert {tool.name for tool in TOOLS if tool.writes} == {
        "reschedule_delivery",
        "cancel_order",
        "issue_refund",
        "send_note",
    }


def test_a_question_may_be_put_again_in_a_later_request():
    rule = detector(kind="repetition", share=0.95, least_words=6)
    question = "I am about to move the delivery of A1042. Shall I go ahead?"
    talk = Talk().says("customer", "Can you move A1042?").says("agent", question).says("customer", "Yes.")

    assert talk.find(rule, question)

    talk.says("agent", "I'm sorry, I couldn't do that. The depot is closed.").says("customer", "Please try once more.")

    assert not talk.find(rule, question)
    assert talk.find(rule, "I'm sorry, I couldn't do that. The depot is closed.")


def test_a_pattern_can_excuse_what_the_speaker_has_seen():
    rule = detector(kind="pattern", any_of=[r"\bDSLAM\b"], unseen=True)

    assert Talk().find(rule, "It hangs on the DSLAM.")
    assert not Talk().says("customer", "What does DSLAM mean?").find(rule, "It hangs on the DSLAM.")
