"""Tables of the dispatch desk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_change",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("move_windows", "release_routes", name="bulkkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked", "carrying_out", "done", "declined", name="bulkstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("stop_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("command_id"),
    )
    op.create_table(
        "client_event",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_key", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("seq"),
        sa.UniqueConstraint("source_key"),
    )
    op.create_index("ix_client_event_client", "client_event", ["client", "seq"], unique=False)
    op.create_index("ix_client_event_recorded", "client_event", ["recorded_at"], unique=False)
    op.create_index(op.f("ix_client_event_subject_id"), "client_event", ["subject_id"], unique=False)
    op.create_table(
        "client_event_mark",
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("done_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_id", sa.BigInteger(), nullable=False),
        sa.Column("waits_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("log"),
    )
    op.create_table(
        "client_subscription",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("kinds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("old_secret", sa.String(), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum("active", "disabled", "deleted", name="subscriptionstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("disabled_because", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("busy_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_client_subscription_client", "client_subscription", ["client", "state"], unique=False)
    op.create_table(
        "client_token",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(op.f("ix_client_token_client"), "client_token", ["client"], unique=False)
    op.create_table(
        "desk_board",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("posted_revision", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("post_attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slack_channel", sa.String(), nullable=True),
        sa.Column("slack_ts", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("view", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(
        "ix_desk_board_behind",
        "desk_board",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("posted_revision < revision"),
    )
    op.create_table(
        "desk_task",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("posted_revision", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("post_attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slack_channel", sa.String(), nullable=True),
        sa.Column("slack_ts", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "new_stop",
                "change_window",
                "cancel_stop",
                "late_change",
                "driver_unconfirmed",
                "over_capacity",
                "write_refused",
                "release_routes",
                "move_windows",
                "hand_over_failed",
                name="taskkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "carrying_out",
                "approved",
                "declined",
                "done",
                "expired",
                name="taskstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("approved_by", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_desk_task_behind",
        "desk_task",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("posted_revision < revision"),
    )
    op.create_index(
        "ix_desk_task_expires",
        "desk_task",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open' AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "uq_desk_task_open_key",
        "desk_task",
        ["key"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'carrying_out')"),
    )
    op.create_table(
        "driver_out",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "driver_ref", "day"),
    )
    op.create_table(
        "driver_shift",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("route_ref", sa.String(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "not_asked",
                "asked",
                "confirmed",
                "refused",
                "silent",
                name="shiftstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_address", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("given_to_ref", sa.String(), nullable=True),
        sa.Column("overload", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("platform", "driver_ref", "day"),
    )
    op.create_index("ix_driver_shift_day", "driver_shift", ["day"], unique=False)
    op.create_index(
        "ix_driver_shift_phone",
        "driver_shift",
        ["phone", "day"],
        unique=False,
        postgresql_where=sa.text("phone IS NOT NULL"),
    )
    op.create_table(
        "manifest_post",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("is_scheduled", sa.Boolean(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("baseline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("page_url", sa.String(), nullable=False),
        sa.Column("refresh_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("zone", "day"),
    )
    op.create_index(
        "ix_manifest_post_open",
        "manifest_post",
        ["refresh_at"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "route",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("platform_ref", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("driver_ref", sa.String(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "planned", "released", "started", "finished", name="routestatus", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("platform", "platform_ref", "day"),
    )
    op.create_index("ix_route_day", "route", ["day"], unique=False)
    op.create_table(
        "stop_event_cursor",
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader"),
    )
    op.create_table(
        "stop_upload",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("results", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uploaded_by", sa.String(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client", "digest"),
    )
    op.create_index(
        "ix_stop_upload_unfinished",
        "stop_upload",
        ["tried_at"],
        unique=False,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "client_delivery",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "delivered", "dead", name="deliverystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["client_event.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["client_subscription.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subscription_id", "event_id"),
    )
    op.create_index(op.f("ix_client_delivery_event_id"), "client_delivery", ["event_id"], unique=False)
    op.create_index(
        "ix_client_delivery_listed", "client_delivery", ["subscription_id", "state", "seq"], unique=False
    )
    op.create_index(
        "ix_client_delivery_pending",
        "client_delivery",
        ["subscription_id", "seq"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "stop_change",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("window", "cancel", name="changekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("api", "csv", "slack", name="source", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("bulk_id", sa.Uuid(), nullable=True),
        sa.Column("wanted_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("earlier_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("earlier_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "needs_dispatcher",
                "applying",
                "applied",
                "refused",
                "declined",
                name="changestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["bulk_id"],
            ["bulk_change.id"],
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stop_id", "kind", "origin"),
    )
    op.create_index("ix_stop_change_bulk", "stop_change", ["bulk_id"], unique=False)
    op.create_index(
        "ix_stop_change_open",
        "stop_change",
        ["stop_id", "kind"],
        unique=False,
        postgresql_where=sa.text("state IN ('needs_dispatcher', 'applying')"),
    )
    op.create_table(
        "stop_request",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("own_ref", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("api", "csv", "slack", name="source", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("form", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "needs_dispatcher",
                "entering",
                "entered",
                "refused",
                "declined",
                "cancelled",
                name="requeststate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column("order_ref", sa.String(), nullable=True),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("window_start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform", sa.String(), nullable=True),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column(
            "first_state",
            sa.Enum(
                "received",
                "needs_dispatcher",
                "entering",
                "entered",
                "refused",
                "declined",
                "cancelled",
                name="requeststate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("first_reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["stop.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("client", "idempotency_key"),
        sa.UniqueConstraint("own_ref"),
    )
    op.create_index("ix_stop_request_listed", "stop_request", ["client", "asked_at", "id"], unique=False)
    op.create_index(
        "ix_stop_request_pending",
        "stop_request",
        ["client", "zone"],
        unique=False,
        postgresql_where=sa.text("state IN ('received', 'needs_dispatcher', 'entering')"),
    )
    op.create_index(op.f("ix_stop_request_stop_id"), "stop_request", ["stop_id"], unique=False)
    op.add_column(
        "driver",
        sa.Column(
            "zones", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
    )
    op.add_column("driver", sa.Column("capacity", sa.Float(), nullable=True))
    op.add_column("driver", sa.Column("latitude", sa.Float(), nullable=True))
    op.add_column("driver", sa.Column("longitude", sa.Float(), nullable=True))
    op.add_column("platform_feed", sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("platform_feed", sa.Column("cursor", sa.String(), nullable=True))
    op.add_column("platform_feed", sa.Column("next_events_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stop", sa.Column("own_ref", sa.String(), nullable=True))
    op.add_column("stop", sa.Column("reattempt_of", sa.String(), nullable=True))
    op.add_column("stop", sa.Column("recipient_email", sa.String(), nullable=True))
    op.add_column("stop", sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stop", sa.Column("service_seconds", sa.Integer(), nullable=True))
    op.add_column("stop", sa.Column("load", sa.Float(), server_default="0", nullable=False))
    op.create_index(
        "ix_stop_own_ref", "stop", ["own_ref"], unique=False, postgresql_where=sa.text("own_ref IS NOT NULL")
    )
    op.create_index("ix_stop_route", "stop", ["platform", "route_ref"], unique=False)
    op.create_index(
        "ix_stop_unpromised",
        "stop",
        ["id"],
        unique=False,
        postgresql_where=sa.text("window_start_at IS NULL"),
    )
    op.create_index("ix_stop_window_start", "stop", ["window_start_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_stop_window_start", table_name="stop")
    op.drop_index(
        "ix_stop_unpromised", table_name="stop", postgresql_where=sa.text("window_start_at IS NULL")
    )
    op.drop_index("ix_stop_route", table_name="stop")
    op.drop_index("ix_stop_own_ref", table_name="stop", postgresql_where=sa.text("own_ref IS NOT NULL"))
    op.drop_column("stop", "load")
    op.drop_column("stop", "service_seconds")
    op.drop_column("stop", "planned_at")
    op.drop_column("stop", "recipient_email")
    op.drop_column("stop", "reattempt_of")
    op.drop_column("stop", "own_ref")
    op.drop_column("platform_feed", "next_events_at")
    op.drop_column("platform_feed", "cursor")
    op.drop_column("platform_feed", "begun_at")
    op.drop_column("driver", "longitude")
    op.drop_column("driver", "latitude")
    op.drop_column("driver", "capacity")
    op.drop_column("driver", "zones")
    op.drop_index(op.f("ix_stop_request_stop_id"), table_name="stop_request")
    op.drop_index(
        "ix_stop_request_pending",
        table_name="stop_request",
        postgresql_where=sa.text("state IN ('received', 'needs_dispatcher', 'entering')"),
    )
    op.drop_index("ix_stop_request_listed", table_name="stop_request")
    op.drop_table("stop_request")
    op.drop_index(
        "ix_stop_change_open",
        table_name="stop_change",
        postgresql_where=sa.text("state IN ('needs_dispatcher', 'applying')"),
    )
    op.drop_index("ix_stop_change_bulk", table_name="stop_change")
    op.drop_table("stop_change")
    op.drop_index(
        "ix_client_delivery_pending",
        table_name="client_delivery",
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.drop_index("ix_client_delivery_listed", table_name="client_delivery")
    op.drop_index(op.f("ix_client_delivery_event_id"), table_name="client_delivery")
    op.drop_table("client_delivery")
    op.drop_index(
        "ix_stop_upload_unfinished", table_name="stop_upload", postgresql_where=sa.text("finished_at IS NULL")
    )
    op.drop_table("stop_upload")
    op.drop_table("stop_event_cursor")
    op.drop_index("ix_route_day", table_name="route")
    op.drop_table("route")
    op.drop_index(
        "ix_manifest_post_open", table_name="manifest_post", postgresql_where=sa.text("closed_at IS NULL")
    )
    op.drop_table("manifest_post")
    op.drop_index(
        "ix_driver_shift_phone", table_name="driver_shift", postgresql_where=sa.text("phone IS NOT NULL")
    )
    op.drop_index("ix_driver_shift_day", table_name="driver_shift")
    op.drop_table("driver_shift")
    op.drop_table("driver_out")
    op.drop_index(
        "uq_desk_task_open_key",
        table_name="desk_task",
        postgresql_where=sa.text("state IN ('open', 'carrying_out')"),
    )
    op.drop_index(
        "ix_desk_task_expires",
        table_name="desk_task",
        postgresql_where=sa.text("state = 'open' AND expires_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_desk_task_behind", table_name="desk_task", postgresql_where=sa.text("posted_revision < revision")
    )
    op.drop_table("desk_task")
    op.drop_index(
        "ix_desk_board_behind",
        table_name="desk_board",
        postgresql_where=sa.text("posted_revision < revision"),
    )
    op.drop_table("desk_board")
    op.drop_index(op.f("ix_client_token_client"), table_name="client_token")
    op.drop_table("client_token")
    op.drop_index("ix_client_subscription_client", table_name="client_subscription")
    op.drop_table("client_subscription")
    op.drop_table("client_event_mark")
    op.drop_index(op.f("ix_client_event_subject_id"), table_name="client_event")
    op.drop_index("ix_client_event_recorded", table_name="client_event")
    op.drop_index("ix_client_event_client", table_name="client_event")
    op.drop_table("client_event")
    op.drop_table("bulk_change")
