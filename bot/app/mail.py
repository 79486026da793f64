"""How mails come in: an SMTP listener of our own, a provider's signed route, or both, into one intake."""

from bot.app.building import Doorline
from bot.app.vendors import mail_identity
from bot.durable.inbound import ReceiveReceipts
from bot.incidents.attachments import AttachmentFiles
from connectors.email.inbound import MailListener
from connectors.email.intake import Intake


def intake_of(doorline: Doorline) -> Intake:
    settings, services = doorline.settings, doorline.services
    return Intake(
        mail_identity(settings),
        services.receive,
        ReceiveReceipts(services.database, doorline.clock),
        keep_attachment=AttachmentFiles(settings.doorline_var / "attachments").keep,
        trusted_authserv=settings.email_trusted_authserv,
    )


def mail_listener(doorline: Doorline) -> MailListener | None:
    """None where no port is set."""
    settings = doorline.settings
    if doorline.vendors.email is None or settings.email_inbound_port is None:
        return None
    return MailListener(
        intake_of(doorline),
        host=settings.email_inbound_host,
        port=settings.email_inbound_port,
        lmtp=settings.email_inbound_lmtp,
    )
