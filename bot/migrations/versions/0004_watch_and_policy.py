"""Tables of the watch and the policy."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dispatcher_setting",
        sa.Column("dispatcher", sa.String(), nullable=False),
        sa.Column("zones", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dispatcher"),
    )
    op.create_table(
        "home_tab",
        sa.Column("dispatcher", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page", sa.Integer(), server_default="0", nullable=False),
        sa.Column("digest", sa.String(), server_default="", nullable=False),
        sa.Column("seen", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("posted_revision", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dispatcher"),
    )
    op.create_index("ix_home_tab_opened", "home_tab", ["opened_at"], unique=False)
    op.create_table(
        "on_call_source",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("last_modified", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_on_call_source_next_at"), "on_call_source", ["next_at"], unique=False)
    op.create_table(
        "operator_alert",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "desk_unreachable",
                "watch_stopped",
                "feeds_stale",
                "doorline_ill",
                name="operatorreason",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_operator_alert_open",
        "operator_alert",
        ["key"],
        unique=True,
        postgresql_where=sa.text("over_at IS NULL"),
    )
    op.create_table(
        "pause",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("vendor_id", sa.String(), nullable=False),
        sa.Column(
            "what",
            sa.Enum(
                "client",
                "zone",
                "route",
                "platform",
                "everything",
                name="pausewhat",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("vendor_id"),
    )
    op.create_index("ix_pause_number", "pause", ["number"], unique=True)
    op.create_index(
        "ix_pause_open", "pause", ["starts_at"], unique=False, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "report_run",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("client_report", "digest", name="runkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("start_day", sa.Date(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("planned", "making", "made", "empty", name="runstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "subject", "start_day", "end_day"),
    )
    op.create_index(
        "ix_report_run_open",
        "report_run",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('planned', 'making')"),
    )
    op.create_table(
        "watch_mark",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wall_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column(
            "quiet", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "watch_trouble",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "digest_charts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("board_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("queued", "sending", "sent", "refused", name="sharestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["board_id"],
            ["desk_board.id"],
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["report_run.id"],
        ),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index(
        "ix_digest_charts_open",
        "digest_charts",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_table(
        "pause_hit",
        sa.Column("pause_id", sa.Uuid(), nullable=False),
        sa.Column("cause_key", sa.String(), nullable=False),
        sa.Column("stop_id", sa.String(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum(
                "at_risk",
                "breached",
                "failed",
                "recipient_waiting",
                "platform_silent",
                "nobody_on_call",
                name="severity",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("minutes_late", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pause_id"],
            ["pause.id"],
        ),
        sa.PrimaryKeyConstraint("pause_id", "cause_key", "stop_id"),
    )
    op.create_table(
        "report_file",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["report_run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "name"),
    )
    op.create_table(
        "report_mail",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["report_run.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "recipient"),
    )
    op.create_index(
        "ix_report_mail_open",
        "report_mail",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_table(
        "deed_write",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("reassign", "move_window", name="writekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("asked", "done", "refused", name="writestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_in", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_deed_write_escalation", "deed_write", ["escalation_id"], unique=False)
    op.create_index(
        "ix_deed_write_open",
        "deed_write",
        ["tried_at"],
        unique=False,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "escalation_post",
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("slack_channel", sa.String(), nullable=True),
        sa.Column("slack_ts", sa.String(), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_to", sa.String(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pointed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
        ),
        sa.PrimaryKeyConstraint("escalation_id", "channel"),
    )
    op.create_table(
        "promise_incident",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True, start=1001), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "breach",
                "failed_delivery",
                "missing",
                "damaged",
                "other",
                name="brokenkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "closed", "withdrawn", name="brokenstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("escalation_id", sa.Uuid(), nullable=True),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("promised_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("minutes_late", sa.Integer(), nullable=False),
        sa.Column("penalty_usd", sa.Integer(), nullable=False),
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
        sa.Column("root_cause_by", sa.String(), nullable=True),
        sa.Column("exclusion", sa.String(), nullable=False),
        sa.Column("exclusion_by", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("source_id"),
    )
    op.create_index(
        "ix_promise_incident_client", "promise_incident", ["client", "opened_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_promise_incident_escalation_id"), "promise_incident", ["escalation_id"], unique=False
    )
    op.create_index("ix_promise_incident_listed", "promise_incident", ["opened_at", "id"], unique=False)
    op.create_index(
        "ix_promise_incident_look",
        "promise_incident",
        ["look_at"],
        unique=False,
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_promise_incident_stop_id"), "promise_incident", ["stop_id"], unique=False)
    op.create_index(
        "uq_promise_incident_unpromised",
        "promise_incident",
        ["stop_id"],
        unique=True,
        postgresql_where=sa.text("NOT by_hand AND promised_end_at IS NULL"),
    )
    op.create_index(
        "uq_promise_incident_window",
        "promise_incident",
        ["stop_id", "promised_end_at"],
        unique=True,
        postgresql_where=sa.text("NOT by_hand AND promised_end_at IS NOT NULL"),
    )
    op.create_table(
        "driver_question",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=False),
        sa.Column("driver_name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("outbound_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("is_on_time", sa.Boolean(), server_default=sa.text("false"), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
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
        sa.UniqueConstraint("outbound_id"),
    )
    op.create_index(
        "ix_driver_question_escalation", "driver_question", ["escalation_id", "asked_at"], unique=False
    )
    op.create_index("ix_driver_question_phone", "driver_question", ["phone", "asked_at"], unique=False)
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["promise_incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_follow_up_due",
        "follow_up",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND reminded_at IS NULL"),
    )
    op.create_index(op.f("ix_follow_up_incident_id"), "follow_up", ["incident_id"], unique=False)
    op.create_table(
        "page",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=True),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind", sa.Enum("text", "call", name="pagekind", native_enum=False, length=40), nullable=False
        ),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dispatcher", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "calling",
                "ringing",
                "answered",
                "sent",
                "over",
                name="pagestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "acknowledged",
                "no_answer",
                "busy",
                "failed",
                "hung_up",
                "voicemail",
                "stopped",
                "no_phone",
                "undeliverable",
                "refused",
                name="outcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("outbound_id", sa.Uuid(), nullable=True),
        sa.Column("vendor_id", sa.String(), nullable=True),
        sa.Column(
            "answered_by",
            sa.Enum("unknown", "person", "machine", name="answeredby", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("option", sa.Integer(), nullable=True),
        sa.Column("asked_which_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["operator_alert.id"],
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["outbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["escalation_step.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alert_id", "person", "kind"),
        sa.UniqueConstraint("step_id", "person"),
        sa.UniqueConstraint("token"),
        sa.UniqueConstraint("vendor_id"),
    )
    op.create_index("ix_page_escalation", "page", ["escalation_id"], unique=False)
    op.create_index(
        "ix_page_look_at", "page", ["look_at"], unique=False, postgresql_where=sa.text("look_at IS NOT NULL")
    )
    op.create_index(op.f("ix_page_outbound_id"), "page", ["outbound_id"], unique=False)
    op.create_index("ix_page_phone", "page", ["phone", "created_at"], unique=False)
    op.create_table(
        "told_recipient",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("told_by", sa.String(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outbound_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
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
        sa.UniqueConstraint("escalation_id", "stop_id", "digest"),
    )
    op.add_column("escalation", sa.Column("service", sa.String(), server_default="", nullable=False))
    op.add_column("escalation", sa.Column("minutes_late", sa.Integer(), server_default="0", nullable=False))
    op.add_column("escalation", sa.Column("snoozed_by", sa.String(), nullable=True))
    op.add_column("escalation", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "escalation",
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
    )
    op.add_column("escalation", sa.Column("exclusion", sa.String(), server_default="", nullable=False))
    op.add_column("escalation", sa.Column("resolution_note", sa.String(), server_default="", nullable=False))
    op.add_column(
        "escalation", sa.Column("is_noise", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("escalation", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.add_column("escalation", sa.Column("armed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("escalation", sa.Column("repeats", sa.Integer(), server_default="0", nullable=False))
    op.add_column("escalation", sa.Column("policy", sa.String(), server_default="", nullable=False))
    op.add_column(
        "escalation",
        sa.Column(
            "told_reaction_not_enough",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column("escalation", sa.Column("delayed_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_escalation_snoozed",
        "escalation",
        ["snoozed_until"],
        unique=False,
        postgresql_where=sa.text("state = 'snoozed'"),
    )
    op.create_foreign_key("escalation_merged_into_fkey", "escalation", "escalation", ["merged_into"], ["id"])
    op.add_column("escalation_note", sa.Column("person", sa.String(), server_default="", nullable=False))
    op.add_column(
        "escalation_note",
        sa.Column(
            "facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column("escalation_step", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("escalation_step", sa.Column("tier", sa.Integer(), server_default="0", nullable=False))
    op.add_column("escalation_step", sa.Column("place", sa.Integer(), server_default="0", nullable=False))
    op.add_column("escalation_step", sa.Column("person", sa.String(), server_default="", nullable=False))
    op.add_column(
        "escalation_step",
        sa.Column("out_of_hours", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("stop", sa.Column("service_kind", sa.String(), server_default="", nullable=False))
    op.add_column("stop", sa.Column("watch_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "stop", sa.Column("is_estimated", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_index(
        "ix_stop_broken",
        "stop",
        ["window_end_at"],
        unique=False,
        postgresql_where=sa.text(
            "status IN ('failed', 'returned') OR (status = 'delivered' AND completed_at >= window_end_at)"
        ),
    )
    op.create_index("ix_stop_driver", "stop", ["platform", "driver_ref", "window_end_at"], unique=False)
    op.create_index(
        "ix_stop_estimated",
        "stop",
        ["platform", "driver_ref"],
        unique=False,
        postgresql_where=sa.text("is_estimated"),
    )
    op.create_index("ix_stop_watch_at", "stop", ["watch_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_stop_watch_at", table_name="stop")
    op.drop_index("ix_stop_estimated", table_name="stop", postgresql_where=sa.text("is_estimated"))
    op.drop_index("ix_stop_driver", table_name="stop")
    op.drop_index(
        "ix_stop_broken",
        table_name="stop",
        postgresql_where=sa.text(
            "status IN ('failed', 'returned') OR (status = 'delivered' AND completed_at >= window_end_at)"
        ),
    )
    op.drop_column("stop", "is_estimated")
    op.drop_column("stop", "watch_at")
    op.drop_column("stop", "service_kind")
    op.drop_column("escalation_step", "out_of_hours")
    op.drop_column("escalation_step", "person")
    op.drop_column("escalation_step", "place")
    op.drop_column("escalation_step", "tier")
    op.drop_column("escalation_step", "planned_at")
    op.drop_column("escalation_note", "facts")
    op.drop_column("escalation_note", "person")
    op.drop_constraint("escalation_merged_into_fkey", "escalation", type_="foreignkey")
    op.drop_index(
        "ix_escalation_snoozed", table_name="escalation", postgresql_where=sa.text("state = 'snoozed'")
    )
    op.drop_column("escalation", "delayed_since")
    op.drop_column("escalation", "told_reaction_not_enough")
    op.drop_column("escalation", "policy")
    op.drop_column("escalation", "repeats")
    op.drop_column("escalation", "armed_at")
    op.drop_column("escalation", "merged_into")
    op.drop_column("escalation", "is_noise")
    op.drop_column("escalation", "resolution_note")
    op.drop_column("escalation", "exclusion")
    op.drop_column("escalation", "root_cause")
    op.drop_column("escalation", "snoozed_until")
    op.drop_column("escalation", "snoozed_by")
    op.drop_column("escalation", "minutes_late")
    op.drop_column("escalation", "service")
    op.drop_table("told_recipient")
    op.drop_index("ix_page_phone", table_name="page")
    op.drop_index(op.f("ix_page_outbound_id"), table_name="page")
    op.drop_index("ix_page_look_at", table_name="page", postgresql_where=sa.text("look_at IS NOT NULL"))
    op.drop_index("ix_page_escalation", table_name="page")
    op.drop_table("page")
    op.drop_index(op.f("ix_follow_up_incident_id"), table_name="follow_up")
    op.drop_index(
        "ix_follow_up_due",
        table_name="follow_up",
        postgresql_where=sa.text("done_at IS NULL AND reminded_at IS NULL"),
    )
    op.drop_table("follow_up")
    op.drop_index("ix_driver_question_phone", table_name="driver_question")
    op.drop_index("ix_driver_question_escalation", table_name="driver_question")
    op.drop_table("driver_question")
    op.drop_index(
        "uq_promise_incident_window",
        table_name="promise_incident",
        postgresql_where=sa.text("NOT by_hand AND promised_end_at IS NOT NULL"),
    )
    op.drop_index(
        "uq_promise_incident_unpromised",
        table_name="promise_incident",
        postgresql_where=sa.text("NOT by_hand AND promised_end_at IS NULL"),
    )
    op.drop_index(op.f("ix_promise_incident_stop_id"), table_name="promise_incident")
    op.drop_index(
        "ix_promise_incident_look",
        table_name="promise_incident",
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.drop_index("ix_promise_incident_listed", table_name="promise_incident")
    op.drop_index(op.f("ix_promise_incident_escalation_id"), table_name="promise_incident")
    op.drop_index("ix_promise_incident_client", table_name="promise_incident")
    op.drop_table("promise_incident")
    op.drop_table("escalation_post")
    op.drop_index("ix_deed_write_open", table_name="deed_write", postgresql_where=sa.text("state = 'asked'"))
    op.drop_index("ix_deed_write_escalation", table_name="deed_write")
    op.drop_table("deed_write")
    op.drop_index(
        "ix_report_mail_open",
        table_name="report_mail",
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.drop_table("report_mail")
    op.drop_table("report_file")
    op.drop_table("pause_hit")
    op.drop_index(
        "ix_digest_charts_open",
        table_name="digest_charts",
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.drop_table("digest_charts")
    op.drop_table("watch_trouble")
    op.drop_table("watch_mark")
    op.drop_index(
        "ix_report_run_open",
        table_name="report_run",
        postgresql_where=sa.text("state IN ('planned', 'making')"),
    )
    op.drop_table("report_run")
    op.drop_index("ix_pause_open", table_name="pause", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("ix_pause_number", table_name="pause")
    op.drop_table("pause")
    op.drop_index(
        "uq_operator_alert_open", table_name="operator_alert", postgresql_where=sa.text("over_at IS NULL")
    )
    op.drop_table("operator_alert")
    op.drop_index(op.f("ix_on_call_source_next_at"), table_name="on_call_source")
    op.drop_table("on_call_source")
    op.drop_index("ix_home_tab_opened", table_name="home_tab")
    op.drop_table("home_tab")
    op.drop_table("dispatcher_setting")
