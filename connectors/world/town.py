"""Tables of the pretended town: zones, streets, people, clients, and what drivers say of failures."""

from dataclasses import dataclass

from connectors.base import FailureReason


@dataclass(frozen=True)
class Zone:
    name: str
    city: str
    postcode: str
    latitude: float
    longitude: float
    """Centre of the zone; its depot stands there, its stops within a few kilometres."""


ZONES = (
    Zone("North", "Norwalk", "06850", 41.1177, -73.4082),
    Zone("Central", "Stamford", "06902", 41.0534, -73.5387),
    Zone("South", "Greenwich", "06830", 41.0262, -73.6282),
)
REGION = "CT"
COUNTRY = "United States"

CLIENTS = ("Acme", "Nova", "Brightway")

STREETS = (
    "Elm St",
    "Oak Ave",
    "Maple Dr",
    "Cedar Ln",
    "Main St",
    "Park Ave",
    "Washington St",
    "Chestnut Hill Rd",
    "Summer St",
    "Prospect Ave",
    "Harbor View Dr",
    "Strawberry Hill Ave",
    "Bedford St",
    "Spruce St",
    "Willow Rd",
    "West Ave",
    "Sound Beach Rd",
    "Field Point Rd",
    "Ponus Ridge",
    "Glenbrook Rd",
    "Newtown Tpke",
    "River Rd",
    "Soundview Ave",
    "Lockwood Ln",
)
APARTMENTS = ("1A", "2B", "3C", "4D", "Apt 5", "Apt 12", "Unit 7", "Fl 2")

FIRST_NAMES = (
    "Dana",
    "Marcus",
    "Priya",
    "Elena",
    "Tom",
    "Aisha",
    "Kevin",
    "Grace",
    "Noah",
    "Ruth",
    "Omar",
    "Hannah",
    "Victor",
    "Mei",
    "Liam",
    "Joan",
    "Andre",
    "Sofie",
    "Peter",
    "Nadia",
    "María",
    "José",
    "Lucía",
    "Carlos",
    "Guadalupe",
    "Javier",
    "Ximena",
    "Rafael",
)
LAST_NAMES = (
    "Okafor",
    "Whitman",
    "Shah",
    "Brooks",
    "Larsen",
    "Nguyen",
    "Coleman",
    "Fischer",
    "Patel",
    "Donnelly",
    "Haddad",
    "Morris",
    "Kowalski",
    "Chen",
    "Abbott",
    "Reyes",
    "Hernández",
    "Castillo",
    "Morales",
    "Quiroga",
    "Delgado",
    "Fuentes",
    "Navarro",
    "Ibarra",
)
DRIVER_NAMES = (
    "Sam Porter",
    "Rosa Delgado",
    "Mike Tran",
    "Keisha Grant",
    "Luis Ortega",
    "Anna Petrov",
    "Dwayne Ellis",
    "Fatima Noor",
    "Joe Marino",
    "Tina Wallace",
    "Ravi Menon",
    "Carla Santos",
    "Ben Hollis",
    "Yuki Tanaka",
    "Paul Dubois",
    "Nina Alvarez",
)

# fmt: off
RECIPIENT_AREA_CODES = (
    203, 475, 860, 959, 212, 332, 347, 516, 585, 607, 631, 646, 680, 716, 718, 838, 845, 914, 917, 929,
)
# fmt: on
DRIVER_AREA_CODES = (732, 848)
PHONES_PER_AREA_CODE = 100
"""+1 NPA 555 0100 to 0199 is set aside for fiction in every area code."""

NOTES = (
    "",
    "",
    "",
    "",
    "Ring twice",
    "Leave with the doorman",
    "Side entrance",
    "Dog in the yard, call first",
)


@dataclass(frozen=True)
class Failure:
    """Why a delivery fails: the organisation's reason as its platform lists it, and the driver's words."""

    reason: FailureReason
    listed: str
    words: str


FAILURES = (
    Failure(FailureReason.RECIPIENT_UNAVAILABLE, "Recipient unavailable", "rang twice, nobody home"),
    Failure(
        FailureReason.RECIPIENT_UNAVAILABLE, "Recipient unavailable", "no answer at the door or the phone"
    ),
    Failure(FailureReason.ACCESS_ISSUE, "No access", "gate locked, no code"),
    Failure(FailureReason.ADDRESS_ISSUE, "Wrong address", "number does not exist on this street"),
    Failure(FailureReason.REFUSED, "Refused by recipient", "recipient did not order this"),
    Failure(FailureReason.DAMAGED, "Damaged", "box crushed under the shelf"),
)
OTHER_FAILURES = (
    Failure(FailureReason.DRIVER_DELAY, "Ran out of time", "shift over"),
    Failure(FailureReason.TRAFFIC, "Traffic", "road closed after an accident"),
    Failure(FailureReason.VEHICLE, "Vehicle issue", "flat tire"),
    Failure(FailureReason.WEATHER, "Weather", "street flooded"),
    Failure(FailureReason.DEPOT, "Not at depot", "parcel was not on the shelf"),
    Failure(FailureReason.OTHER, "Other", "see dispatch"),
)
"""Never drawn by chance; there so that every reason can be asked for."""


def failure_for(reason: FailureReason) -> Failure:
    return next(failure for failure in (*FAILURES, *OTHER_FAILURES) if failure.reason is reason)
