"""How people text, undone: one plain spelling before anything is counted or embedded. Pure, never raises.

"PLZZZ brng my pkg tmrw 👍🏽" -> "please brng my package tomorrow 👍". Entities keep their own text: only what the
intent is guessed from passes through here.
"""

import re
import unicodedata

LONGEST = 600
"""Characters. What a long text is about stands at its ends; an embedding of all of it costs half a second."""

_ABBREVIATIONS = """
u=you ur=your r=are ya=you yall=you_all y'all=you_all pls=please plz=please plse=please
thx=thanks tnx=thanks thnx=thanks ty=thank_you tysm=thank_you_so_much np=no_problem nvm=never_mind
tmrw=tomorrow tmr=tomorrow tmw=tomorrow tmrrw=tomorrow tomo=tomorrow 2moro=tomorrow 2morrow=tomorrow
tomoro=tomorrow 2day=today 2nite=tonight tonite=tonight 2night=tonight rn=right_now
wheres=where_is whats=what_is whos=who_is hows=how_is thats=that_is its=it_is theres=there_is
dont=do_not doesnt=does_not didnt=did_not cant=can_not couldnt=could_not wont=will_not wouldnt=would_not
isnt=is_not wasnt=was_not arent=are_not hasnt=has_not havent=have_not shouldnt=should_not
im=i_am ive=i_have youre=you_are theyre=they_are idk=i_do_not_know lmk=let_me_know
pkg=package pckg=package pkge=package addy=address msg=message msgs=messages txt=text txts=texts
bc=because cuz=because coz=because b4=before aft=after gonna=going_to wanna=want_to gotta=have_to
gimme=give_me lemme=let_me eta=estimated_arrival_time omw=on_my_way otw=on_the_way brt=be_right_there
wtf=what_the_fuck wth=what_the_hell ppl=people hr=hour hrs=hours min=minutes mins=minutes wknd=weekend
mon=monday tue=tuesday tues=tuesday wed=wednesday thu=thursday thur=thursday thurs=thursday fri=friday
sat=saturday bldg=building num=number ofc=of_course def=definitely prob=probably
q=que ke=que xq=porque pq=porque porq=porque xfa=por_favor xfavor=por_favor porfa=por_favor porfis=por_favor
porfavor=por_favor dnd=donde dond=donde tmb=tambien tb=tambien tmbn=tambien tambn=tambien toy=estoy ola=hola
bn=bien msj=mensaje msjs=mensajes grax=gracias grcs=gracias grasias=gracias mñn=mañana mñna=mañana
xa=para pa=para nesesito=necesito kiero=quiero kien=quien aki=aqui
"""
_WORDS = {
    short: whole.replace("_", " ") for short, whole in (pair.split("=") for pair in _ABBREVIATIONS.split())
}
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_DRAWN_OUT_LETTER = re.compile(r"([^\W\d_])\1{2,}")
_REPEATED_MARK = re.compile(r"([^\w\s])\1+")
_SLASHED = ((re.compile(r"\bw/o\b"), "without"), (re.compile(r"\bw/"), "with "))

# Control and format characters, lone surrogates, marks on their own, skin tones.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Sk"})


_SHORT_ID = re.compile(r"(?<!\w)(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8}(?!\w)")
_ANY_ID = "az-55812"
"""What a platform's short id is read as: its letters must not sway what a text means."""


def plain(text: str) -> str:
    """Lower case, one space between words, common abbreviations written out; "" when nothing readable is left."""
    text = _readable(_shortened(text)).casefold().replace("’", "'")
    for pattern, whole in _SLASHED:
        text = pattern.sub(whole, text)
    text = _SHORT_ID.sub(_ANY_ID, text)
    text = _REPEATED_MARK.sub(r"\1", _DRAWN_OUT_LETTER.sub(r"\1", text))
    return " ".join(_WORD.sub(lambda word: _WORDS.get(word[0], word[0]), text).split())


def without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} {text[-LONGEST // 2 :]}"


def _readable(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text)
    return "".join(
        mark if mark.isspace() or unicodedata.category(mark) not in _INVISIBLE else "" for mark in composed
    )
