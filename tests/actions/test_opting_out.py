"""No more messages: done where the words say so, asked back where only the model thinks so."""

import pytest

from actions.errands.opting_out import OptOutAnswer, read_opt_out_answer
from tests.actions.facts import Conversation, Facts, stop

FORM = "errand_form"


async def test_words_that_say_so_are_believed() -> None:
    facts = Facts([stop()])
    said = await Conversation(facts).run("action_opt_out", "take me off ur list", "opt_out")
    assert said.responses == [("utter_opted_out", {"operator": "QuickShip"})]
    assert facts.opted_out == ["C1"]
    assert facts.asked_dispatcher == []


@pytest.mark.parametrize("text", ["wrong number", "número equivocado", "who is maria? wrong number"])
async def test_a_wrong_number_is_left_alone_and_dispatchers_hear_which_stop_has_it(text: str) -> None:
    facts = Facts([stop("S1")])
    said = await Conversation(facts).run("action_opt_out", text, "opt_out")
    assert said.names == ["utter_opted_out_wrong_number"]
    assert facts.opted_out == ["C1"]
    assert facts.asked_dispatcher == [("wrong_number", "S1")]


async def test_a_wrong_number_without_a_stop_is_nobodys_work() -> None:
    facts = Facts([])
    said = await Conversation(facts).run("action_opt_out", "wrong number", "opt_out")
    assert said.names == ["utter_opted_out"]
    assert facts.asked_dispatcher == []


async def asked_back(facts: Facts, text: str = "enough already") -> Conversation:
    conversation = Conversation(facts)
    said = await conversation.run("action_opt_out", text, "opt_out")
    assert said.followed_by == FORM
    assert facts.opted_out == []
    asked = await conversation.run(
        "action_ask_errand_form_errand_done", text, "opt_out", form=FORM, requested_slot="errand_done"
    )
    assert asked.responses == [("utter_ask_opt_out", {"operator": "QuickShip"})]
    return conversation


@pytest.mark.parametrize("text", ["enough already", "stop texting me at 6 am", "dont text, call me", "basta"])
async def test_the_model_alone_is_not_believed(text: str) -> None:
    await asked_back(Facts([stop()]), text)


@pytest.mark.parametrize("answer", ["1", "end them", "stop texting me", "option 1 please"])
async def test_who_then_says_so_has_left(answer: str) -> None:
    facts = Facts([stop()])
    conversation = await asked_back(facts)
    said = await conversation.run("validate_errand_form", answer, "choose_option", form=FORM)
    assert said.names == ["utter_opted_out"]
    assert facts.opted_out == ["C1"]


@pytest.mark.parametrize(
    ("answer", "intent"), [("2", "choose_option"), ("keep them", "confirm"), ("no", "deny")]
)
async def test_who_wants_to_keep_them_keeps_them(answer: str, intent: str) -> None:
    facts = Facts([stop()])
    conversation = await asked_back(facts)
    said = await conversation.run("validate_errand_form", answer, intent, form=FORM)
    assert said.names == ["utter_messages_kept"]
    assert facts.opted_out == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1", OptOutAnswer.END),
        ("one", OptOutAnswer.END),
        ("#1", OptOutAnswer.END),
        ("end", OptOutAnswer.END),
        ("end them", OptOutAnswer.END),
        ("end them all please", OptOutAnswer.END),
        ("no more", OptOutAnswer.END),
        ("no mas", OptOutAnswer.END),
        ("no me escriban mas", OptOutAnswer.END),
        ("2", OptOutAnswer.KEEP),
        ("two", OptOutAnswer.KEEP),
        ("dos", OptOutAnswer.KEEP),
        ("keep them", OptOutAnswer.KEEP),
        ("keep texting", OptOutAnswer.KEEP),
        ("quiero seguir", OptOutAnswer.KEEP),
        ("dont end them, keep them", OptOutAnswer.KEEP),
        ("dont end them", OptOutAnswer.KEEP),
        ("yes", OptOutAnswer.UNCLEAR),
        ("no", OptOutAnswer.UNCLEAR),
        ("1 or 2", OptOutAnswer.UNCLEAR),
        ("where is my parcel", OptOutAnswer.UNCLEAR),
    ],
)
def test_the_answer_is_read_from_number_or_words(text: str, meant: OptOutAnswer) -> None:
    assert read_opt_out_answer(text) is meant
