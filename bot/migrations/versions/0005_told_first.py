"""Notifications, recovery and what drivers and clients tell."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "address_trouble",
        sa.Column(
            "channel",
            sa.Enum("sms", "whatsapp", "webchat", "email", name="channelname", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "address"),
    )
    op.create_table(
        "client_mail",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("queued", "sending", "sent", "refused", name="mailstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column(
            "topic",
            sa.Enum("redelivery", "breach", name="topic", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_client_mail_open",
        "client_mail",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_table(
        "sender_pace",
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("segments", sa.Float(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sender"),
    )
    op.create_table(
        "client_news",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column(
            "topic",
            sa.Enum("redelivery", "breach", name="topic", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("source_key", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("seq"),
        sa.UniqueConstraint("source_key"),
    )
    op.create_index(
        "ix_client_news_waiting",
        "client_news",
        ["client", "topic", "happened_at"],
        unique=False,
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "notice_watch",
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("late_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_time_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("near_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("stop_id"),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "out_for_delivery",
                "approaching",
                "running_late",
                "back_on_time",
                "later",
                "window_changed",
                "delivered",
                "failed",
                "returned",
                name="notificationkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("useful_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "reached",
                "outdated",
                "unreached",
                name="notificationstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notification_person", "notification", ["person", "day"], unique=False)
    op.create_index("ix_notification_stop", "notification", ["stop_id", "decided_at"], unique=False)
    op.create_table(
        "recovery",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "driver_delay",
                "traffic",
                "access_issue",
                "recipient_unavailable",
                "address_issue",
                "refused",
                "damaged",
                "vehicle",
                "weather",
                "depot",
                "other",
                name="failurereason",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason_source",
            sa.Enum("platform", "driver", "dispatcher", name="reasonsource", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column(
            "flow",
            sa.Enum(
                "access_code",
                "windows",
                "address",
                "alternatives",
                "dispatcher",
                name="flow",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asking",
                "writing",
                "with_dispatcher",
                "booked",
                "pick_up",
                "sent_back",
                "closed",
                name="recoverystate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("preference", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reattempt_id", sa.Uuid(), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reattempt_id"],
            ["stop.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stop_id"),
    )
    op.create_index("ix_recovery_client", "recovery", ["client", "opened_at"], unique=False)
    op.create_index(
        "ix_recovery_open",
        "recovery",
        ["opened_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('asking', 'writing', 'with_dispatcher')"),
    )
    op.create_index("ix_recovery_reattempt", "recovery", ["reattempt_id"], unique=False)
    op.create_index(
        "ix_recovery_unlinked",
        "recovery",
        ["settled_at"],
        unique=False,
        postgresql_where=sa.text("reattempt_id IS NULL"),
    )
    op.create_table(
        "driver_report",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=False),
        sa.Column("driver_name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("inbound_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "driver_delay",
                "traffic",
                "access_issue",
                "recipient_unavailable",
                "address_issue",
                "refused",
                "damaged",
                "vehicle",
                "weather",
                "depot",
                "other",
                name="failurereason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("photo_texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum("asking", "taken", "passed_on", name="reportstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inbound_id", "stop_id"),
    )
    op.create_index(
        "ix_driver_report_asking",
        "driver_report",
        ["said_at"],
        unique=False,
        postgresql_where=sa.text("state = 'asking'"),
    )
    op.create_index("ix_driver_report_phone", "driver_report", ["phone", "said_at"], unique=False)
    op.create_index("ix_driver_report_stop", "driver_report", ["stop_id"], unique=False)
    op.create_table(
        "driver_word",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=False),
        sa.Column("driver_name", sa.String(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("inbound_id", sa.Uuid(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_on_time", sa.Boolean(), nullable=False),
        sa.Column(
            "root_cause",
            sa.Enum(
                "driver_delay",
                "traffic",
                "access_issue",
                "recipient_unavailable",
                "address_issue",
                "refused",
                "damaged",
                "vehicle",
                "weather",
                "depot",
                "other",
                name="failurereason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("holds_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("etas", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inbound_id"),
    )
    op.create_index("ix_driver_word_holds", "driver_word", ["holds_until"], unique=False)
    op.create_index("ix_driver_word_van", "driver_word", ["platform", "driver_ref", "said_at"], unique=False)
    op.create_table(
        "recovery_step",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ask",
                "remind",
                "second_channel",
                "dispatcher",
                "default",
                name="rungkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("put_offs", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recovery_id"],
            ["recovery.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("recovery_id", "position"),
    )
    op.create_index(
        "ix_recovery_step_due",
        "recovery_step",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_table(
        "driver_relay",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("inbound_id", sa.Uuid(), nullable=False),
        sa.Column("outbound_id", sa.Uuid(), nullable=True),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=False),
        sa.Column("has_code", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["outbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inbound_id", "stop_id"),
        sa.UniqueConstraint("outbound_id"),
    )
    op.create_index(
        "ix_driver_relay_codes",
        "driver_relay",
        ["told_at"],
        unique=False,
        postgresql_where=sa.text("has_code AND code_forgotten_at IS NULL"),
    )
    op.create_index(op.f("ix_driver_relay_stop_id"), "driver_relay", ["stop_id"], unique=False)
    op.create_table(
        "notification_try",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("sms", "whatsapp", "webchat", "email", name="channelname", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("outbound_id", sa.Uuid(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notification.id"],
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["outbound_message.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notification_id", "position"),
        sa.UniqueConstraint("outbound_id"),
    )
    op.add_column("inbound_message", sa.Column("is_authentic", sa.Boolean(), nullable=True))
    op.add_column("outbound_message", sa.Column("stop_id", sa.Uuid(), nullable=True))
    op.add_column("outbound_message", sa.Column("useful_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbound_message_paced",
        "outbound_message",
        ["useful_until", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND purpose = 'proactive'"),
    )
    op.create_index("ix_outbound_message_sent_at", "outbound_message", ["sent_at"], unique=False)
    op.create_index(op.f("ix_outbound_message_stop_id"), "outbound_message", ["stop_id"], unique=False)
    op.create_foreign_key("outbound_message_stop_id_fkey", "outbound_message", "stop", ["stop_id"], ["id"])
    op.add_column("stop", sa.Column("is_texted_by_platform", sa.Boolean(), nullable=True))
    op.add_column("stop", sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_stop_failed",
        "stop",
        [sa.literal_column("coalesce(completed_at, changed_at)")],
        unique=False,
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.create_index("ix_stop_notice_at", "stop", ["notice_at"], unique=False)
    op.create_index(
        "ix_stop_reattempt_of",
        "stop",
        ["platform", "reattempt_of"],
        unique=False,
        postgresql_where=sa.text("reattempt_of IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_stop_reattempt_of", table_name="stop", postgresql_where=sa.text("reattempt_of IS NOT NULL")
    )
    op.drop_index("ix_stop_notice_at", table_name="stop")
    op.drop_index("ix_stop_failed", table_name="stop", postgresql_where=sa.text("status = 'failed'"))
    op.drop_column("stop", "notice_at")
    op.drop_column("stop", "is_texted_by_platform")
    op.drop_constraint("outbound_message_stop_id_fkey", "outbound_message", type_="foreignkey")
    op.drop_index(op.f("ix_outbound_message_stop_id"), table_name="outbound_message")
    op.drop_index("ix_outbound_message_sent_at", table_name="outbound_message")
    op.drop_index(
        "ix_outbound_message_paced",
        table_name="outbound_message",
        postgresql_where=sa.text("due_at IS NOT NULL AND purpose = 'proactive'"),
    )
    op.drop_column("outbound_message", "useful_until")
    op.drop_column("outbound_message", "stop_id")
    op.drop_column("inbound_message", "is_authentic")
    op.drop_table("notification_try")
    op.drop_index(op.f("ix_driver_relay_stop_id"), table_name="driver_relay")
    op.drop_index(
        "ix_driver_relay_codes",
        table_name="driver_relay",
        postgresql_where=sa.text("has_code AND code_forgotten_at IS NULL"),
    )
    op.drop_table("driver_relay")
    op.drop_index(
        "ix_recovery_step_due",
        table_name="recovery_step",
        postgresql_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
    )
    op.drop_table("recovery_step")
    op.drop_index("ix_driver_word_van", table_name="driver_word")
    op.drop_index("ix_driver_word_holds", table_name="driver_word")
    op.drop_table("driver_word")
    op.drop_index("ix_driver_report_stop", table_name="driver_report")
    op.drop_index("ix_driver_report_phone", table_name="driver_report")
    op.drop_index(
        "ix_driver_report_asking", table_name="driver_report", postgresql_where=sa.text("state = 'asking'")
    )
    op.drop_table("driver_report")
    op.drop_index(
        "ix_recovery_unlinked", table_name="recovery", postgresql_where=sa.text("reattempt_id IS NULL")
    )
    op.drop_index("ix_recovery_reattempt", table_name="recovery")
    op.drop_index(
        "ix_recovery_open",
        table_name="recovery",
        postgresql_where=sa.text("state IN ('asking', 'writing', 'with_dispatcher')"),
    )
    op.drop_index("ix_recovery_client", table_name="recovery")
    op.drop_table("recovery")
    op.drop_index("ix_notification_stop", table_name="notification")
    op.drop_index("ix_notification_person", table_name="notification")
    op.drop_table("notification")
    op.drop_table("notice_watch")
    op.drop_index(
        "ix_client_news_waiting", table_name="client_news", postgresql_where=sa.text("told_at IS NULL")
    )
    op.drop_table("client_news")
    op.drop_table("sender_pace")
    op.drop_index(
        "ix_client_mail_open",
        table_name="client_mail",
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.drop_table("client_mail")
    op.drop_table("address_trouble")
