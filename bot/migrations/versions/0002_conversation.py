"""Tables of the whole conversation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proof_attempt",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_allowed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("address"),
    )
    op.create_table(
        "proof_claim",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("tracking", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("phone_end", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_inbound_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    op.create_table(
        "stop_access",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column(
            "level",
            sa.Enum("look", "change", name="accesslevel", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id", "stop_id"),
    )
    op.create_table(
        "stop_focus",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("inbound_id", sa.String(), nullable=True),
        sa.Column("talked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    op.create_table(
        "dispatch_request",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "reschedule",
                "change_address",
                "send_back",
                "hold",
                "note",
                "redeliver",
                name="requestkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "approving",
                "approved",
                "declined",
                "expired",
                name="requeststate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "stop_status",
            sa.Enum(
                "planned",
                "assigned",
                "out_for_delivery",
                "arriving",
                "delivered",
                "failed",
                "cancelled",
                "returned",
                name="stopstatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("escalation_id", sa.Uuid(), nullable=True),
        sa.Column("inbound_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"],
            ["escalation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_dispatch_request_escalation_id"), "dispatch_request", ["escalation_id"], unique=False
    )
    op.create_index(
        "ix_dispatch_request_undecided",
        "dispatch_request",
        ["stop_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('open', 'approving')"),
    )
    op.create_index(
        "uq_dispatch_request_open",
        "dispatch_request",
        ["conversation_id", "stop_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing", "damaged", "wrong", "incomplete", name="incidentkind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("escalation_id", sa.Uuid(), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "closed", name="incidentstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proof", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("meters_from_address", sa.Float(), nullable=True),
        sa.Column("driver_ref", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
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
    op.create_index(
        "ix_incident_conversation", "incident", ["conversation_id", "waiting_since"], unique=False
    )
    op.create_index(op.f("ix_incident_escalation_id"), "incident", ["escalation_id"], unique=False)
    op.create_index(
        "uq_incident_open",
        "incident",
        ["stop_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "chat_line",
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("inbound_id", sa.Uuid(), nullable=True),
        sa.Column("outbound_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["outbound_id"],
            ["outbound_message.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id", "number"),
        sa.UniqueConstraint("inbound_id"),
        sa.UniqueConstraint("outbound_id"),
    )
    op.create_table(
        "incident_photo",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("inbound_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("wanted", "kept", "refused", name="photostate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["inbound_id"],
            ["inbound_message.id"],
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inbound_id", "position"),
    )
    op.create_index(
        "ix_incident_photo_conversation", "incident_photo", ["conversation_id", "came_at"], unique=False
    )
    op.create_index(op.f("ix_incident_photo_incident_id"), "incident_photo", ["incident_id"], unique=False)
    op.add_column("consent_change", sa.Column("words", sa.String(), nullable=True))
    op.add_column("escalation", sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("escalation", sa.Column("told_waiting_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("escalation", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_escalation_answer_by",
        "escalation",
        ["answer_by"],
        unique=False,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_index(
        "ix_escalation_conversation",
        "escalation",
        ["conversation_id"],
        unique=False,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.add_column(
        "escalation_note", sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False)
    )
    op.drop_index(op.f("ix_escalation_note_queue"), table_name="escalation_note")
    op.create_index("ix_escalation_note_queue", "escalation_note", ["escalation_id", "number"], unique=False)
    op.add_column("inbound_message", sa.Column("subject", sa.String(), nullable=True))
    op.add_column("inbound_message", sa.Column("thread_id", sa.String(), nullable=True))
    op.add_column(
        "inbound_message",
        sa.Column(
            "thread_references", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.add_column("inbound_message", sa.Column("network_address", sa.String(), nullable=True))
    op.add_column(
        "inbound_message", sa.Column("codes_forgotten_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "ix_inbound_message_codes",
        "inbound_message",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("codes_forgotten_at IS NULL"),
    )
    op.add_column("outbound_message", sa.Column("subject", sa.String(), nullable=True))
    op.add_column("outbound_message", sa.Column("in_reply_to_vendor_id", sa.String(), nullable=True))
    op.add_column(
        "outbound_message",
        sa.Column(
            "thread_references", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.add_column("outbound_message", sa.Column("escalation_id", sa.Uuid(), nullable=True))
    op.add_column("outbound_message", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbound_message_due",
        "outbound_message",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_foreign_key(
        "outbound_message_escalation_id_fkey", "outbound_message", "escalation", ["escalation_id"], ["id"]
    )
    op.add_column("stop", sa.Column("order_ref", sa.String(), nullable=True))
    op.add_column("stop", sa.Column("latitude", sa.Float(), nullable=True))
    op.add_column("stop", sa.Column("longitude", sa.Float(), nullable=True))
    op.add_column(
        "stop", sa.Column("proof", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.create_index("ix_stop_order_ref", "stop", [sa.literal_column("lower(order_ref)")], unique=False)


def downgrade() -> None:
    op.drop_index("ix_stop_order_ref", table_name="stop")
    op.drop_column("stop", "proof")
    op.drop_column("stop", "longitude")
    op.drop_column("stop", "latitude")
    op.drop_column("stop", "order_ref")
    op.drop_constraint("outbound_message_escalation_id_fkey", "outbound_message", type_="foreignkey")
    op.drop_index(
        "ix_outbound_message_due",
        table_name="outbound_message",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_column("outbound_message", "due_at")
    op.drop_column("outbound_message", "escalation_id")
    op.drop_column("outbound_message", "thread_references")
    op.drop_column("outbound_message", "in_reply_to_vendor_id")
    op.drop_column("outbound_message", "subject")
    op.drop_index(
        "ix_inbound_message_codes",
        table_name="inbound_message",
        postgresql_where=sa.text("codes_forgotten_at IS NULL"),
    )
    op.drop_column("inbound_message", "codes_forgotten_at")
    op.drop_column("inbound_message", "network_address")
    op.drop_column("inbound_message", "thread_references")
    op.drop_column("inbound_message", "thread_id")
    op.drop_column("inbound_message", "subject")
    op.drop_index("ix_escalation_note_queue", table_name="escalation_note")
    op.create_index(
        op.f("ix_escalation_note_queue"), "escalation_note", ["escalation_id", "created_at"], unique=False
    )
    op.drop_column("escalation_note", "number")
    op.drop_index(
        "ix_escalation_conversation", table_name="escalation", postgresql_where=sa.text("state <> 'resolved'")
    )
    op.drop_index(
        "ix_escalation_answer_by", table_name="escalation", postgresql_where=sa.text("state <> 'resolved'")
    )
    op.drop_column("escalation", "reminded_at")
    op.drop_column("escalation", "told_waiting_at")
    op.drop_column("escalation", "answer_by")
    op.drop_column("consent_change", "words")
    op.drop_index(op.f("ix_incident_photo_incident_id"), table_name="incident_photo")
    op.drop_index("ix_incident_photo_conversation", table_name="incident_photo")
    op.drop_table("incident_photo")
    op.drop_table("chat_line")
    op.drop_index("uq_incident_open", table_name="incident", postgresql_where=sa.text("state = 'open'"))
    op.drop_index(op.f("ix_incident_escalation_id"), table_name="incident")
    op.drop_index("ix_incident_conversation", table_name="incident")
    op.drop_table("incident")
    op.drop_index(
        "uq_dispatch_request_open", table_name="dispatch_request", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_index(
        "ix_dispatch_request_undecided",
        table_name="dispatch_request",
        postgresql_where=sa.text("state IN ('open', 'approving')"),
    )
    op.drop_index(op.f("ix_dispatch_request_escalation_id"), table_name="dispatch_request")
    op.drop_table("dispatch_request")
    op.drop_table("stop_focus")
    op.drop_table("stop_access")
    op.drop_table("proof_claim")
    op.drop_table("proof_attempt")
