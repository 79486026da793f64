"""How the pretended OptimoRoute tells of orders, schedules, routes and completion. Source: routing-platforms 4.4."""

from connectors.optimoroute.emulator_store import Json, Store

SIGNATURE = "/media/{id}/signature.png"
PHOTO = "/media/{id}/{number}.png"


class Answers:
    def __init__(self, store: Store) -> None:
        self._store = store

    def order(self, order: Json) -> Json:
        data: Json = order["data"]
        return data

    def found(self, order: Json, asked: Json) -> Json:
        """One entry of `search_orders`, with what was asked for."""
        told: Json = {"id": order["data"]["id"]}
        if asked.get("includeOrderData"):
            told["data"] = self.order(order)
        if asked.get("includeScheduleInformation"):
            told["scheduleInformation"] = self.schedule(order, live=False)
        return told

    def schedule(self, order: Json, *, live: bool) -> Json | None:
        order_id = order["data"]["id"]
        driver, key = self._store.driver_of(order_id), self._store.route_key_of(order_id)
        if driver is None or key is None:
            return None
        stops = self._store.routes[key]
        place = next(number for number, stop in enumerate(stops) if stop["id"] == order_id)
        told = self._driver(driver) | {"stopNumber": place + 1} | self._times(stops[place])
        if live and order["eta"] is not None:
            arrival = order["eta"]
            waiting = max(stops[place]["scheduled"] - arrival, 0)
            told["liveEstimate"] = {
                "arrivalTimeDt": self._dt(arrival),
                "startTimeDt": self._dt(arrival + waiting),
            }
        return told

    def route(self, driver: Json, stops: list[Json], asked: Json) -> Json:
        orders = [self._store.order(stop["id"])["data"] for stop in stops]
        seconds = stops[-1]["scheduled"] - stops[0]["arrival"] + stops[0]["travel"]
        told = self._driver(driver) | {
            "duration": round(seconds / 60 + orders[-1]["duration"]),
            "distance": round(sum(stop["distance"] for stop in stops) / 1000, 1),
            **{f"load{n}": sum(order[f"load{n}"] for order in orders) for n in range(1, 5)},
            "stops": self._stops(driver, stops, orders),
        }
        return told | ({"routePolyline": ""} if asked.get("includeRoutePolyline") == "true" else {})

    def _stops(self, driver: Json, stops: list[Json], orders: list[Json]) -> list[Json]:
        told: list[Json] = [
            {
                "orderNo": order["orderNo"],
                "id": order["id"],
                **{
                    name: order["location"].get(name, "")
                    for name in ("locationNo", "locationName", "address")
                },
                **{name: order["location"].get(name) for name in ("latitude", "longitude")},
                **self._times(stop),
            }
            for stop, order in zip(stops, orders, strict=True)
        ]
        if driver["breakAfter"] is not None and len(told) > driver["breakAfter"]:
            at = self._store.local(stops[driver["breakAfter"]]["arrival"])
            told.insert(driver["breakAfter"], {"type": "break", "scheduledAt": f"{at:%H:%M}"})
        return [{"stopNumber": number, **stop} for number, stop in enumerate(told, start=1)]

    def completion(self, order: Json) -> Json:
        data: Json = {"status": order["status"]}
        for name, wire in (("start", "startTime"), ("end", "endTime")):
            if order[name] is not None:
                data[wire] = self._store.moment(order[name])
        if order["end"] is not None:
            data["form"] = self._form(order)
        if order["sent"]:
            data["tracking_url"] = f"https://order.is/{order['data']['id'][:8]}"
        return data

    def _form(self, order: Json) -> Json:
        form, order_id = order["form"], order["data"]["id"]
        told: Json = {"note": form.get("note", "")}
        told["images"] = [
            {"type": "image/png", "url": PHOTO.format(id=order_id, number=number)}
            for number in range(form.get("photos", 0))
        ]
        if form.get("signed"):
            told["signature"] = {"type": "image/png", "url": SIGNATURE.format(id=order_id)}
        return told

    def _driver(self, driver: Json) -> Json:
        return {
            "driverSerial": driver["serial"],
            "driverExternalId": driver["externalId"],
            "driverName": driver["name"],
            "vehicleRegistration": driver["vehicleRegistration"],
            "vehicleLabel": driver["vehicleLabel"],
        }

    def _times(self, stop: Json) -> Json:
        return {
            "scheduledAt": f"{self._store.local(stop['scheduled']):%H:%M}",
            "scheduledAtDt": self._dt(stop["scheduled"]),
            "arrivalTimeDt": self._dt(stop["arrival"]),
            "travelTime": stop["travel"],
            "distance": stop["distance"],
        }

    def _dt(self, unix: float) -> str:
        return f"{self._store.local(unix):%Y-%m-%d %H:%M:%S}"
