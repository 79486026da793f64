"""What the pretended Route4Me's objects hold, with the names and empty values of the vendor's own answers."""

import copy
import hashlib
from typing import Any

Json = dict[str, Any]

STATUSES = ("Skipped", "Completed", "Failed", "Empty")
ROUTE_STATUSES = ("planned", "started", "paused", "resumed", "completed")
NEW, ROUTED, UNROUTED, FAILED, SKIPPED, DONE, CANCELLED = 0, 7, 8, 11, 12, 13, 14
ORDER_STATUS_OF = {"completed": DONE, "failed": FAILED, "skipped": SKIPPED}
FALSE_WORDS = frozenset({"", "0", "false", "none", "null"})


class VendorError(Exception):
    """An answer of the pretended vendor that is not 2xx. Without words it has no body."""

    def __init__(self, status: int, words: str = "") -> None:
        super().__init__(words)
        self.status = status

    def v4(self) -> Json | None:
        return {"errors": [str(self)]} if str(self) else None

    def v5(self) -> Json:
        exit_code = {401: 2, 403: 3, 409: 4}.get(self.status, 1)
        body: Json = {"status": False, "code": self.status}
        return body | ({"exit_code": exit_code, "messages": {"error": [str(self)]}} if str(self) else {})


def make_id(kind: str, key: str) -> str:
    """32 hexadecimal digits in capitals, the same for the same key."""
    return hashlib.sha256(f"{kind}:{key}".encode()).hexdigest()[:32].upper()


def tracking_number(key: str) -> str:
    """Eight letters and digits, the same for the same key."""
    digest = hashlib.sha256(f"tracking:{key}".encode()).digest()
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    return "".join(letters[byte % len(letters)] for byte in digest[:8])


def is_true(value: object) -> bool:
    """PHP's flags: 1, `1`, `true` and `True` are all one."""
    return str(value).strip().lower() not in FALSE_WORDS


def new_manifest() -> Json:
    return {
        "running_service_time": 0,
        "running_travel_time": 0,
        "running_wait_time": 0,
        "running_distance": 0.0,
        "fuel_from_start": 0.0,
        "fuel_cost_from_start": 0.0,
        "projected_arrival_time_ts": None,
        "projected_departure_time_ts": None,
        "actual_arrival_time_ts": None,
        "actual_departure_time_ts": None,
        "estimated_arrival_time_ts": None,
        "estimated_departure_time_ts": None,
        "scheduled_arrival_time_ts": None,
        "scheduled_departure_time_ts": None,
        "time_impact": None,
    }


EMPTY_ADDRESS: Json = {
    "route_destination_id": 0,
    "alias": "",
    "member_id": 0,
    "address": "",
    "is_depot": False,
    "timeframe_violation_state": None,
    "timeframe_violation_time": 0,
    "timeframe_violation_rate": 0,
    "lat": None,
    "lng": None,
    "curbside_lat": None,
    "curbside_lng": None,
    "priority": None,
    "route_id": None,
    "original_route_id": None,
    "optimization_problem_id": None,
    "sequence_no": 0,
    "geocoded": False,
    "preferred_geocoding": None,
    "failed_geocoding": False,
    "geocodings": [],
    "contact_id": 0,
    "order_id": None,
    "address_stop_type": "DELIVERY",
    "is_visited": False,
    "timestamp_last_visited": None,
    "visited_lat": None,
    "visited_lng": None,
    "is_departed": False,
    "departed_lat": None,
    "departed_lng": None,
    "timestamp_last_departed": None,
    "group": None,
    "customer_po": None,
    "invoice_no": None,
    "reference_no": None,
    "order_no": None,
    "weight": 0,
    "cost": 0,
    "revenue": 0,
    "cube": 0,
    "pieces": 0,
    "first_name": None,
    "last_name": None,
    "email": None,
    "phone": None,
    "destination_note_count": 0,
    "drive_time_to_next_destination": None,
    "abnormal_traffic_time_to_next_destination": None,
    "uncongested_time_to_next_destination": None,
    "traffic_time_to_next_destination": None,
    "distance_to_next_destination": None,
    "wait_time_to_next_destination": None,
    "channel_name": "",
    "generated_time_window_start": None,
    "generated_time_window_end": None,
    "time_window_start": None,
    "time_window_end": None,
    "time_window_start_2": None,
    "time_window_end_2": None,
    "geofence_detected_visited_timestamp": None,
    "geofence_detected_departed_timestamp": None,
    "geofence_detected_service_time": None,
    "geofence_detected_visited_lat": None,
    "geofence_detected_visited_lng": None,
    "geofence_detected_departed_lat": None,
    "geofence_detected_departed_lng": None,
    "time": 0,
    "additional_status": None,
    "tracking_number": None,
    "custom_fields": {},
    "custom_fields_config": None,
    "custom_fields_config_str_json": "null",
}


def new_address() -> Json:
    return copy.deepcopy(EMPTY_ADDRESS) | {"manifest": new_manifest()}


CHANGEABLE = frozenset(
    {
        "alias",
        "first_name",
        "last_name",
        "email",
        "phone",
        "address",
        "lat",
        "lng",
        "curbside_lat",
        "curbside_lng",
        "time_window_start",
        "time_window_end",
        "time_window_start_2",
        "time_window_end_2",
        "time",
        "priority",
        "order_no",
        "order_id",
        "reference_no",
        "customer_po",
        "invoice_no",
        "weight",
        "cube",
        "pieces",
        "cost",
        "revenue",
        "is_visited",
        "is_departed",
        "timestamp_last_visited",
        "timestamp_last_departed",
        "is_depot",
        "contact_id",
        "address_stop_type",
    }
)
"""Fields of a stop that may be written: routing-platforms.md 3.3, "update stop", and its sample."""


def new_parameters() -> Json:
    return {
        "is_upload": False,
        "rt": True,
        "route_name": "",
        "route_date": 0,
        "route_time": 0,
        "shared_publicly": False,
        "disable_optimization": False,
        "optimize": "Distance",
        "lock_last": False,
        "vehicle_capacity": None,
        "vehicle_max_cargo_weight": None,
        "vehicle_max_cargo_volume": None,
        "vehicle_max_distance_mi": 10000,
        "distance_unit": "mi",
        "travel_mode": "Driving",
        "avoid": "",
        "vehicle_id": None,
        "driver_id": None,
        "route_max_duration": 86400,
        "route_email": None,
        "store_route": True,
        "metric": 4,
        "algorithm_type": 1,
        "member_id": 0,
        "device_id": None,
        "device_type": "web",
    }


def new_route() -> Json:
    return {
        "route_id": "",
        "optimization_problem_id": "",
        "user_route_rating": None,
        "member_id": 0,
        "member_email": "",
        "member_first_name": "",
        "member_last_name": "",
        "member_picture": None,
        "member_tracking_subheadline": None,
        "approved_for_execution": False,
        "approved_revisions_counter": 0,
        "channel_name": "",
        "vehicle_alias": "N/A",
        "driver_alias": "N/A",
        "trip_distance": 0.0,
        "is_unrouted": False,
        "route_cost": 0,
        "route_revenue": 0,
        "net_revenue_per_distance_unit": 0,
        "created_timestamp": 0,
        "mpg": 10,
        "gas_price": 2,
        "route_duration_sec": 0,
        "planned_total_route_duration": 0,
        "actual_travel_distance": 0,
        "actual_travel_time": 0,
        "actual_footsteps": 0,
        "working_time": 0,
        "driving_time": 0,
        "idling_time": 0,
        "paying_miles": 0,
        "geofence_polygon_type": "circle",
        "geofence_polygon_size": 200,
        "notes": [],
        "vehicle": None,
        "member_config_storage": {},
    }


def new_order() -> Json:
    return {
        "created_timestamp": 0,
        "updated_timestamp": 0,
        "order_id": 0,
        "order_status_id": NEW,
        "day_added_YYMMDD": "",
        "day_scheduled_for_YYMMDD": None,
        "address_alias": "",
        "address_1": "",
        "address_2": "",
        "member_id": 0,
        "EXT_FIELD_first_name": "",
        "EXT_FIELD_last_name": "",
        "EXT_FIELD_email": "",
        "EXT_FIELD_phone": "",
        "address_city": "",
        "address_state_id": None,
        "address_country_id": "0",
        "address_zip": "",
        "cached_lat": None,
        "cached_lng": None,
        "curbside_lat": None,
        "curbside_lng": None,
        "EXT_FIELD_custom_data": {},
        "in_route_count": 0,
        "last_visited_timestamp": 0,
        "last_routed_timestamp": 0,
        "local_time_window_start": None,
        "local_time_window_end": None,
        "local_time_window_start_2": None,
        "local_time_window_end_2": None,
        "service_time": None,
        "local_timezone_string": None,
        "color": None,
        "order_icon": None,
        "is_validated": False,
        "is_pending": True,
        "is_accepted": False,
        "is_started": False,
        "is_completed": False,
        "tracking_number": "",
        "custom_user_fields": [],
    }


ORDER_READ_ONLY = frozenset(
    {"order_id", "created_timestamp", "updated_timestamp", "in_route_count", "tracking_number", "member_id"}
)


def new_member() -> Json:
    """As v5 tells it; v4 tells less, and in words: see `emulator_api.member_of_v4`."""
    return {
        "member_id": 0,
        "member_first_name": "",
        "member_last_name": "",
        "member_email": "",
        "member_type": "SUB_ACCOUNT_DRIVER",
        "member_company": "",
        "member_phone": None,
        "timezone": None,
        "HIDE_ROUTED_ADDRESSES": False,
        "HIDE_VISITED_ADDRESSES": False,
        "HIDE_NONFUTURE_ROUTES": True,
        "READONLY_USER": True,
        "OWNER_MEMBER_ID": 1,
        "date_of_birth": None,
        "user_reg_state_id": None,
        "user_reg_country_id": None,
        "SHOW_SUSR_ADDR": False,
        "SHOW_SUSR_ORDERS": False,
        "DriverHourlyRate": None,
        "member_picture": None,
        "SHOW_ALL_DRIVERS": True,
        "vendor_id": None,
        "driving_rate": None,
        "working_rate": None,
        "mile_rate": None,
        "idling_rate": None,
        "display_max_routes_future_days": None,
        "SHOW_ALL_VEHICLES": False,
        "allowed_submember_types": [],
        "can_edit": True,
        "can_delete": True,
        "custom_data": {},
    }


def new_note() -> Json:
    return {
        "note_id": 0,
        "route_id": "",
        "route_destination_id": 0,
        "ts_added": 0,
        "activity_type": "",
        "upload_id": "",
        "upload_extension": None,
        "upload_url": None,
        "upload_type": None,
        "contents": "",
        "lat": None,
        "lng": None,
        "device_type": "web",
    }
