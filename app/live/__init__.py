"""Live values: one table of tags, one hub, one socket a browser tab.

`TagTable` owns the newest reading of every tag and lets it age; `LiveHub` makes a frame a view and
gives the same bytes to every browser that looks at it; `live_endpoint` is the websocket `/live`.
The table and the hub belong to the event loop's thread.
"""
