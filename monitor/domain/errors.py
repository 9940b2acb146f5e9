"""What can go wrong, as one tree.

MonitorError
|-- InvalidMessage (ValueError)      a document, score or bundle breaks a rule of the domain
|   `-- NewerVersion                 a message or a state was written by a newer release
|-- InvalidConfiguration (ValueError) what the operator wrote; the text names field and way out
|-- InvalidArtefact (ValueError)     a model artefact that must not be used
|-- PublishFailed (OSError)          Kafka did not acknowledge
|-- SourceRefused (ValueError)       an address that must not be fetched
`-- StoreUnavailable (OSError)       the database did not answer
"""

from __future__ import annotations

__all__ = [
    "InvalidArtefact",
    "InvalidConfiguration",
    "InvalidMessage",
    "MonitorError",
    "NewerVersion",
    "PublishFailed",
    "SourceRefused",
    "StoreUnavailable",
]


class MonitorError(Exception):
    """Root of every error that Bellwether raises on purpose."""


class InvalidMessage(MonitorError, ValueError):
    """A message breaks a rule of the domain."""


class NewerVersion(InvalidMessage):
    """A message or a saved state was written by a newer release."""

    def __init__(self, what: str, found: int, reads: int) -> None:
        super().__init__(
            f"{what} has version {found}, this release reads up to {reads}; upgrade this process, then re-drive it"
        )


class InvalidConfiguration(MonitorError, ValueError):
    """The operator's configuration is wrong; the text names the field and the way out."""


class InvalidArtefact(MonitorError, ValueError):
    """A model artefact is incomplete, altered, or gives wrong answers."""


class PublishFailed(MonitorError, OSError):
    """Kafka did not acknowledge what was sent."""


class SourceRefused(MonitorError, ValueError):
    """An address that must not be fetched."""


class StoreUnavailable(MonitorError, OSError):
    """The database did not answer."""
