"""REST and WebSocket, one file a concern, over Plant."""
