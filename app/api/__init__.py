"""HTTP and websockets over the plant; one file a concern, all paths as in docs/http.md."""
