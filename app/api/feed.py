"""`WS /ws/{agent}`: every finding of one agent as JSON, as it is made."""

import asyncio

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from app.api.answers import reply
from app.core.alarm import Finding
from app.plant import Plant
from app.security.refusal import ErrorBody

FOLLOWERS_LIMIT = 100
QUEUE_SIZE = 256
SEND_TIMEOUT_S = 10.0


def router(plant: Plant, followers_limit: int = FOLLOWERS_LIMIT) -> APIRouter:
    """Return the route; at most `followers_limit` peers follow at a time."""
    routes = APIRouter()
    followers: set[_Follower] = set()

    @routes.websocket("/ws/{agent}")
    async def follow(websocket: WebSocket, agent: str) -> None:
        """Send each finding of the agent until the peer leaves or stalls."""
        name = plant.agent_name(agent)
        if name not in {row.name for row in plant.agents()}:
            message = f'Agent "{agent[:60]}" is not known'
            refused = ErrorBody("not_found", message, "GET /api/agents lists all")
            await websocket.send_denial_response(reply(refused, 404))
            return
        if len(followers) >= followers_limit:
            refused = ErrorBody("busy", f"{followers_limit} followers are the limit", "Close some")
            await websocket.send_denial_response(reply(refused, 503))
            return
        follower = _Follower(plant, websocket, name)
        followers.add(follower)
        try:
            await follower.serve()
        finally:
            followers.remove(follower)

    return routes


class _Follower:
    """One peer and the findings that wait for it; when it is slow the oldest go first."""

    def __init__(self, plant: Plant, websocket: WebSocket, agent: str) -> None:
        self._plant = plant
        self._websocket = websocket
        self._agent = agent
        self._waiting: asyncio.Queue[Finding] = asyncio.Queue(QUEUE_SIZE)

    async def serve(self) -> None:
        unfollow = self._plant.findings.on_finding(self._take)
        try:
            await self._websocket.accept()
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(self._send(), name=f"findings of {self._agent}")
                await self._left()
                sending.cancel()
        finally:
            unfollow()

    def _take(self, finding: Finding) -> None:
        if finding.agent != self._agent:
            return
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(finding)

    async def _send(self) -> None:
        while True:
            text = msgspec.json.encode(await self._waiting.get()).decode()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await self._websocket.send_text(text)
            except (WebSocketDisconnect, TimeoutError, OSError):
                return

    async def _left(self) -> None:
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            continue
