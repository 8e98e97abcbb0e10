"""Units as they stand on instruments, for words of the server and numbers in browsers."""

UNITS = {
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
    "[degF]": "°F",
    "t_CO2": "t CO₂",
}
"""UCUM codes that operators write otherwise; pages hand them to browsers."""


def unit_words(ucum: str) -> str:
    """Return a UCUM code as it stands on instruments: "Cel" is "°C"."""
    return UNITS.get(ucum, ucum.translate({ord(sign): None for sign in "{}[]"}))
