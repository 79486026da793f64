"""What of a mail is new. Written after how Gmail, Outlook, Apple Mail and Thunderbird quote; none was recorded."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.email.visible import MAX_CHARACTERS, html_to_text, visible_text

PLAIN = {
    "gmail": (
        "tomorrow after 5 please\n\nOn Tue, Jun 11, 2024 at 3:20 PM QuickShip <help@quickship.example> wrote:\n\n"
        "> Your parcel\n> is late\n",
        "tomorrow after 5 please",
    ),
    "gmail, wrapped intro": (
        "tomorrow\n\nOn Tue, Jun 11, 2024 at 3:20 PM QuickShip Dispatch of the whole\nnorthern region\n"
        "<help@quickship.example> wrote:\n\n> Your parcel\n",
        "tomorrow",
    ),
    "gmail in Spanish": (
        "mañana después de las 5\n\nEl mar, 11 jun 2024 a las 15:20, QuickShip (<help@quickship.example>)\n"
        "escribió:\n\n> Su paquete\n",
        "mañana después de las 5",
    ),
    "outlook": (
        "not home\n\nFrom: QuickShip <help@quickship.example>\nSent: Tuesday, June 11, 2024 3:20 PM\n"
        "To: Ann <ann@mail.example>\nSubject: Re: Your delivery\n\nYour parcel",
        "not home",
    ),
    "outlook in Spanish": (
        "no estoy\n\nDe: QuickShip <help@quickship.example>\nEnviado: martes, 11 de junio de 2024 15:20\n"
        "Para: Ana <ana@mail.example>\nAsunto: Re: Su entrega\n\nSu paquete",
        "no estoy",
    ),
    "outlook on a phone": (
        "déjelo con el vecino\n\nObtener Outlook para iOS<https://aka.ms/o0ukef>\n________________________________\n"
        "De: QuickShip <help@quickship.example>\nEnviado: martes\nPara: Ana <a@b.example>\nAsunto: Entrega\n\nx",
        "déjelo con el vecino",
    ),
    "original message": (
        "friday\n\n-----Original Message-----\nFrom: QuickShip <help@quickship.example>\n\nYour parcel",
        "friday",
    ),
    "apple": (
        "ok friday\n\nSent from my iPhone\n\n> On Jun 11, 2024, at 3:20 PM, QuickShip <h@q.example> wrote:\n> \n> x\n> y",
        "ok friday",
    ),
    "below the quote": ("On Tue QuickShip wrote:\n> a\n> b\n> c\n\nfriday please", "friday please"),
    "between the quotes": ("> when are you in?\n\nfriday\n\n> where?\n\nporch", "friday\n\nporch"),
    "signature": ("leave it on the porch\n-- \nAnn Lee\n14 Elm St\n555 0100", "leave it on the porch"),
    "sign-off": (
        "leave it on the porch\n\nBest regards,\nAnn Lee\nAccounts, Nova Inc.",
        "leave it on the porch",
    ),
    "sign-off in Spanish": ("déjelo en la puerta\n\nUn cordial saludo,\nAna Ruiz", "déjelo en la puerta"),
    "app line in Spanish": ("mañana\n\nEnviado desde mi iPhone", "mañana"),
    "legal footer": (
        "bring it friday\n\nCONFIDENTIALITY NOTICE: This email is intended only for the person named.\nDo not read it.",
        "bring it friday",
    ),
    "legal footer in Spanish": (
        "tráigalo el viernes\n\nEste mensaje y sus anexos son confidenciales y van dirigidos a su destinatario.",
        "tráigalo el viernes",
    ),
    # What must stay.
    "thanks with a request": (
        "Hello\nThanks, where is my parcel?\nIt is three days late.",
        "Hello\nThanks, where is my parcel?\nIt is three days late.",
    ),
    "thanks, then a question": ("hi\nThanks,\nwhen will it come?", "hi\nThanks,\nwhen will it come?"),
    "thanks alone": ("Thanks", "Thanks"),
    "a list": ("please bring\n- the lamp\n- the table", "please bring\n- the lamp\n- the table"),
    "lines like a header": ("Date: friday\nTo: 14 Elm St\nplease", "Date: friday\nTo: 14 Elm St\nplease"),
    "a sentence that begins with On": ("On friday she wrote:\nno", "On friday she wrote:\nno"),
    "this message, from a person": (
        "This message is for the driver: ring twice",
        "This message is for the driver: ring twice",
    ),
    "opt-out": ("STOP\n\nOn Tue, Jun 11, 2024 at 3:20 PM <h@q.example> wrote:\n> x", "STOP"),
    "nothing new": ("On Tue, Jun 11, 2024 at 3:20 PM <h@q.example> wrote:\n> x\n> y\n> z", ""),
}


@pytest.mark.parametrize("name", PLAIN)
def test_only_the_new_words_of_a_mail_are_read(name: str) -> None:
    mail, expected = PLAIN[name]
    assert visible_text(mail, "") == expected
    assert visible_text(mail, "<p>other</p>") == expected


HTML = {
    "gmail": '<div dir="ltr">tomorrow after 5<br><div>at the gate</div></div><br><div class="gmail_quote"><div'
    ' class="gmail_attr">El mar, 11 jun 2024 a las 15:20, QuickShip (&lt;h@q.example&gt;) escribió:<br></div>'
    '<blockquote class="gmail_quote"><div>Your parcel</div></blockquote></div>',
    "outlook": "<html><head><style>p{color:red}</style></head><body><p class=MsoNormal>tomorrow after 5<br>at the "
    'gate<o:p></o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">'
    "<p class=MsoNormal><b>From:</b> QuickShip &lt;h@q.example&gt; <br><b>Sent:</b> Tuesday<br><b>To:</b> Ann<br>"
    "<b>Subject:</b> Re: x</p></div></div><p>Your parcel</p></body></html>",
    "outlook on the web": "<div>tomorrow after 5<br>at the gate</div><div id='appendonsend'></div><hr><div "
    "id='divRplyFwdMsg'><b>De:</b> QuickShip<br><b>Enviado:</b> martes</div><div>Su paquete</div>",
    "apple": "<html><body>tomorrow after 5<br>at the gate<br><br><div>Sent from my iPhone</div><div><br><blockquote "
    'type="cite">On Jun 11, 2024, at 3:20 PM, Q &lt;h@q.example&gt; wrote:<br></blockquote></div><blockquote '
    'type="cite"><div>Your parcel</div></blockquote></body></html>',
    "hidden": '<div style="display:none">preview</div><script>x()</script><p>tomorrow&nbsp;after 5<br>at the gate</p>',
    "declared": '<?xml version="1.0" encoding="ascii"?><p>tomorrow after 5<br>at the gate</p>',
}


@pytest.mark.parametrize("name", HTML)
def test_a_mail_of_html_alone_is_read_as_text(name: str) -> None:
    assert visible_text("", HTML[name]).replace("\n\n", "\n") == "tomorrow after 5\nat the gate"


HOSTILE = {
    "header lines": ("a: b\n" * 40_000, ""),
    "quote marks": ("> x\n" * 50_000, ""),
    "one long line": ("On " * 60_000, ""),
    "intros": ("On the way\n" * 20_000 + "wrote:", ""),
    "colons": ("x:" * 90_000, ""),
    "blanks": ("\n \n" * 60_000, ""),
    "deep": ("", "<div>" * 40_000 + "x"),
    "deep quotes": ("", "<blockquote type=cite>" * 20_000 + "x"),
    "tables": ("", "<table><tr><td>" * 10_000),
    "breaks": ("", "<br>x" * 40_000),
    "attributes": ("", "<div " + "class='gmail_quote' " * 9_000 + ">x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_mail_keeps_the_reader_busy_for_long(name: str) -> None:
    text, html = HOSTILE[name]
    started = time.process_time()
    visible_text(text, html)
    assert time.process_time() - started < 2.0


@given(st.text(max_size=2000), st.text(max_size=500))
def test_any_text_at_all_can_be_read(text: str, html: str) -> None:
    assert len(visible_text(text, html)) <= MAX_CHARACTERS


@given(
    st.lists(
        st.sampled_from(["<p>", "</div>", "<blockquote type=cite>", "<br>", "x", "<!--", "&#0;", "<td>"])
    )
)
def test_any_html_at_all_can_be_read(pieces: list[str]) -> None:
    assert "<p>" not in html_to_text("".join(pieces))
