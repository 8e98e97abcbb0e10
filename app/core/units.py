"""Units as they stand on instruments; the same table stands in pages/static/widgets.js."""

_UNITS = {
    "1": "",
    "Cel": "°C",
    "m3/h": "m³/h",
    "m3": "m³",
    "m/s2": "m/s²",
    "kW.h": "kWh",
    "{rpm}": "rpm",
    "/min": "1/min",
    "kV.A": "kVA",
    "kBy/s": "kB/s",
    "{rev}/min": "rpm",
    "Ohm": "Ω",
    "um": "µm",
    "/s": "1/s",
    "{count}": "",
    "Nm3/h": "Nm³/h",
    "deg": "°",
    "N.m": "Nm",
}


def unit_words(ucum: str) -> str:
    """Return a UCUM code as it stands on instruments: "Cel" is "°C"."""
    return _UNITS.get(ucum, ucum.translate({ord(sign): None for sign in "{}[]"}))
