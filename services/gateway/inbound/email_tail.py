"""Where the tail of an e-mail begins in a text: what a mail program quotes or adds below somebody's words (pure).

Mail programs write "On …, … wrote:" in the language of their user, with or without a date, and Outlook a block of the
quoted mail's headers. What such a line follows is somebody else's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

MAX_LINE: Final = 500
"""Characters of a line that a mail program writes."""
MAX_WRAPPED: Final = 3
"""Lines into which it breaks one."""

_AROUND: Final = " \t*_>|"
_WROTE: Final = (
    r"(?:wrote|writes|schrieb|schreibt|a\s+écrit|escribió|ha\s+scritto|scrisse|schreef|heeft\s+.{0,100}\bgeschreven"
    r"|escreveu|skrev|kirjoitti|napisał\w?|napsala?|написала?|пишет|yazdı|írta|wrote\s+the\s+following)"
)
_ENDS: Final = r"\s*[:：]"
_OF_A_DAY: Final = re.compile(
    rf"(?:(?:On|Den|Il|Em|Op|W|Dne|El|Le|Am)\b.{{1,300}}?\b{_WROTE}{_ENDS}|Am\b.{{1,200}}?\bschrieb\b.{{0,200}}{_ENDS}"
    rf"|Op\b.{{1,200}}?\bschreef\b.{{0,200}}{_ENDS}|Den\b.{{1,200}}?\bskrev\b.{{0,200}}{_ENDS}|.{{0,200}}写道{_ENDS}"
    rf"|.{{0,200}}のメール{_ENDS}|[\d(\[].{{1,200}}\b{_WROTE}{_ENDS})",
    re.IGNORECASE,
)
"""On a day somebody wrote."""
_BEGINNINGS: Final = ("on ", "am ", "le ", "el ", "il ", "op ", "em ", "den ", "w ", "dne ")
_SOMEBODY: Final = re.compile(
    rf"(?P<name>.{{1,120}}?)\s+{_WROTE}(?:\s+(?:on|am|le|el|il|op|em|den)\b.{{1,100}}?)?{_ENDS}", re.IGNORECASE
)
_WORD_OF_A_NAME: Final = re.compile(
    r"@[\w.-]+|[^\W\d_][\w.'’-]*,?|\(.+|<[^<>\s]+>|von|van|de|der|da|di|af|al|bin", re.UNICODE
)
_PRONOUNS: Final = re.compile(
    "i|we|you|he|she|they|it|who|ich|wir|du|er|sie|es|je|j'ai|tu|il|elle|nous|vous|yo|él", re.I
)
_ADDRESS: Final = re.compile(r".{0,300}<[^<>\s]{1,200}@[^<>\s]{1,200}>.{0,40}?[:：]")
"""Programs that only name who it was: ``2026-11-27 10:00 GMT+01:00 Ada <ada@example.test>:``."""
_HEADERS: Final[dict[str, str]] = {
    "from": r"From|Von|De|Da|Van|Från|Fra|Od|Lähettäjä|От|Kimden|Feladó|发件人|寄件者|差出人|보낸 사람",
    "sent": (
        r"Sent|Date|Gesendet(?: am)?|Datum|Envoyé(?: le)?|Enviado(?: el| em)?|Fecha|Inviato|Data|Verzonden|Skickat"
        r"|Sendt|Dato|Wysłano|Odesláno|Отправлено|Дата|发送时间|日期|日時|送信日時"
    ),
    "to": r"To|An|À|Para|A|Aan|Till|Til|Do|Komu|Кому|收件人|宛先|Cc|Kopie",
    "subject": r"Subject|Betreff|Objet|Asunto|Assunto|Oggetto|Onderwerp|Ämne|Emne|Temat|Předmět|Тема|主题|件名",
}
_HEADER: Final = re.compile("|".join(rf"(?P<{kind}>{names})" for kind, names in _HEADERS.items()), re.IGNORECASE)
_HEADER_LINE: Final = re.compile(r"(?P<name>[^:：]{1,20}?)[\s*_]*[:：][\s*_]*(?P<value>\S.{0,400})")
_SENT_BEHIND: Final = re.compile(
    rf"(?<!\w)(?:{_HEADERS['sent']})[*_]*\s?[:：].*(?<!\w)(?:{_HEADERS['subject']})[*_]*\s?[:：]", re.I
)
"""Where all of them have become one line."""
_ADDRESS_IN: Final = re.compile(r"[\w.+-]@[\w-]+\.\w")
_MARKUP: Final = re.compile(r"</?(?:b|strong|i|em|br|p|div|span|font)\b[^<>]{0,200}>", re.IGNORECASE)
_RULE: Final = re.compile(
    r"[-–—=_]{2,}\s*.{0,40}(?:messages?|nachricht|mensaje|messaggio|bericht|mensagem|meddelande|meddelelse|melding|viesti"
    r"|wiadomość|zpráva|сообщение|邮件|メッセージ|e-?mail)\b.{0,20}\s*[-–—=_]{2,}|_{20,}|--|—"
    r"|(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:réexpédié|transféré)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato)\s*:"
    r"|reply to this email directly.*",
    re.IGNORECASE,
)
"""Rules above what is quoted, and the signature's delimiter (RFC 3676, 4.3); many senders cut its space."""
_SENT_FROM: Final = re.compile(
    r"(?:Sent from my \w{1,40}|Sent from (?:Outlook|Mail|Yahoo|Proton)|Gesendet von meinem|Von meinem .{1,40} gesendet"
    r"|Envoyé de(?:puis)? mon|Enviado desde mi|Enviado do meu|Inviato da(?:l mio)?|Verstuurd vanaf mijn"
    r"|Get Outlook for|Outlook für .{1,20} herunterladen).{0,60}",
    re.IGNORECASE,
)


def tails(lines: Sequence[str]) -> Iterator[int]:
    """The indexes of the lines at each of which a tail begins, in their order."""
    return (at for at, line in enumerate(lines) if len(line) <= MAX_LINE and _begins(lines, at))


def _begins(lines: Sequence[str], at: int) -> bool:
    line = _MARKUP.sub(" ", lines[at]).strip(_AROUND)
    if not line:
        # Of these characters one rule consists of nothing else.
        return re.fullmatch(r"\s*_{20,}\s*", lines[at]) is not None
    if line.endswith((":", "：")) and (_OF_A_DAY.fullmatch(line) or _ADDRESS.fullmatch(line) or _is_somebodys(line)):
        return True
    if line.lower().startswith(_BEGINNINGS) and _OF_A_DAY.fullmatch(_joined(lines, at)):
        return True
    return bool(_RULE.fullmatch(line) or _SENT_FROM.fullmatch(line) or _is_a_header(lines, at))


def _joined(lines: Sequence[str], at: int) -> str:
    """The line with those behind it up to one that ends as such a line does; the line alone where there is none."""
    for end in range(at + 1, at + 1 + MAX_WRAPPED):
        if end <= len(lines) and lines[end - 1].rstrip(_AROUND).endswith((":", "：")):
            return " ".join(line.strip(_AROUND)[:MAX_LINE] for line in lines[at:end])
    return ""


def _is_somebodys(line: str) -> bool:
    """``Ada Lovelace wrote:``, and neither ``I wrote:`` nor ``the code that Bob wrote:``."""
    if (found := _SOMEBODY.fullmatch(line)) is None:
        return False
    words = found["name"].split()
    if "<" in found["name"] and "@" in found["name"]:
        return True
    return len(words) <= 4 and not _PRONOUNS.fullmatch(words[-1]) and all(_is_of_a_name(word) for word in words)


def _is_a_name(value: str) -> bool:
    """``Ada Lovelace``, also in lower case, and neither ``1.2`` nor a sentence."""
    words = value.split()
    return len(words) <= 3 and all(_WORD_OF_A_NAME.fullmatch(word) for word in words)


def _is_of_a_name(word: str) -> bool:
    return _WORD_OF_A_NAME.fullmatch(word) is not None and (
        not word[0].isalpha() or not word[0].islower() or len(word) <= 3
    )


def _is_a_header(lines: Sequence[str], at: int) -> bool:
    """Whether the headers of a mail begin here: two of them, or who it is from. Another one alone may be anything."""
    kind, value = _header(lines[at])
    if not kind:
        return False
    if kind == "from" and (_ADDRESS_IN.search(value) or _SENT_BEHIND.search(value) or _is_a_name(value)):
        return True
    following = [line for line in islice(lines, at + 1, at + 6) if line.strip()]
    kinds = {kind, *(told for line in following[:3] if (told := _header(line)[0]))}
    return len(kinds) >= 2 and ("sent" in kinds or {"from", "subject"} <= kinds)


def _header(line: str) -> tuple[str, str]:
    found = _HEADER_LINE.fullmatch(_MARKUP.sub(" ", line[: MAX_LINE + 1]).strip(_AROUND))
    named = _HEADER.fullmatch(found["name"].strip(_AROUND)) if found else None
    return (named.lastgroup or "", found["value"]) if found and named else ("", "")
