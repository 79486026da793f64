"""Mails with files, that are no answer to anybody: the reports that the calendar makes."""

from email.message import EmailMessage

from connectors.base import ChannelName, LetterWithFiles, OutboundMessage
from connectors.email import mapping
from connectors.email.client import EmailChannel


class ReportMailer(EmailChannel):
    """The relay and the address of the email channel, on connections of its own."""

    async def send_files(self, letter: LetterWithFiles) -> None:
        """Hands one mail to the relay; see `EmailChannel.send` for what it raises."""
        message = _message(letter)
        mail = _with_files(mapping.outgoing(message, self._identity, self._now()), letter)
        async with self._turns, self._session() as smtp:
            await self._hand_over(smtp, message, mail)


def _message(letter: LetterWithFiles) -> OutboundMessage:
    return OutboundMessage(
        outbound_id=letter.mail_id,
        channel=ChannelName.EMAIL,
        recipient=letter.recipient,
        subject=letter.subject,
        text=letter.text,
    )


def _with_files(mail: EmailMessage, letter: LetterWithFiles) -> EmailMessage:
    # Its answer would take a recipient off our texts; a client's reports end in sop.yml.
    del mail["List-Unsubscribe"]
    for file in letter.files:
        main, _, rest = file.media_type.partition(";")[0].partition("/")
        mail.add_attachment(file.content, maintype=main, subtype=rest, filename=file.name)
    return mail
