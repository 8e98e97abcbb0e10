"""The errors of Millwright, one tree.

    MillwrightError
    ├── SettingsError          settings.toml, environment or command line
    ├── InputError             something a peer or a person sent is wrong (HTTP 422)
    │   ├── CodecError         a message does not decode; goes to the dead letters
    │   ├── TopicError         a topic or a path segment is not allowed
    │   └── FieldsError        several named fields are wrong, each with its reason
    ├── NotFoundError          a named thing does not exist (HTTP 404)
    ├── ConflictError          not allowed in the present state (HTTP 409)
    │   └── RoleError          not allowed to who asks (HTTP 403)
    ├── BusError               the broker cannot be reached, or refused
    ├── StoreError             a store cannot be opened or written (HTTP 503)
    │   └── StoreOpeningError  it is being opened; ask again soon (HTTP 503 with Retry-After)
    ├── ModelError             a model is absent or does not match its card
    └── AgentError             an agent could not do what it was asked, by no fault of the asker
        └── AgentAwayError     it does not live; ask again later (HTTP 503 with Retry-After)

Every message says what failed, which thing, and what to do.
"""


class MillwrightError(Exception):
    """Base of all errors raised on purpose by this project.

    Attributes:
        hint: What the reader can do about it; empty when the message says it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class SettingsError(MillwrightError):
    """A setting is wrong: the message names the key, its value and the remedy."""


class InputError(MillwrightError):
    """Something a peer or a person sent is wrong; the message names the field."""


class CodecError(InputError):
    """A message does not decode into its type."""


class TopicError(InputError):
    """A topic or a path segment has characters that are not allowed."""


class FieldsError(InputError):
    """Several fields are wrong.

    Attributes:
        details: What is wrong, by field.
    """

    def __init__(self, message: str, details: dict[str, str]) -> None:
        super().__init__(message)
        self.details = details


class NotFoundError(MillwrightError):
    """A thing named by the caller does not exist."""


class ConflictError(MillwrightError):
    """The action is not allowed in the present state of the thing."""


class RoleError(ConflictError):
    """Who asks has not the role for it; the message names both."""


class BusError(MillwrightError):
    """The broker cannot be reached, refused the connection, or did not confirm."""


class StoreError(MillwrightError):
    """A store cannot be opened, read or written."""


class StoreOpeningError(StoreError):
    """A store is still being opened.

    Attributes:
        retry_after_s: When to ask again, whole seconds.
    """

    retry_after_s = 2


class ModelError(MillwrightError):
    """A model is absent, unreadable, or does not match its card."""


class AgentError(MillwrightError):
    """An agent could not do what it was asked, and the asker is not to blame."""


class AgentAwayError(AgentError):
    """No instance of an agent lives.

    Attributes:
        retry_after_s: When to ask again, whole seconds; one that a person stopped stays so.
    """

    retry_after_s = 10
