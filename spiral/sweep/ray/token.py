"""Tokens of Ray clusters: who may connect, and what to do when a cluster refuses.

Ray runs any code it is sent, so whoever connects to a cluster can do what its user can.
"""

import os
import secrets

FILE = "~/.ray/auth_token"
"""Where Ray looks for a token if no variable gives one."""

REFUSED = ("Unauthenticated", "AuthenticationError", "InvalidAuthToken")
"""Words in Ray's errors or log when a cluster rejects the token."""


def renew() -> None:
    """Protect a Ray started here by a new token, whatever token the user has set.

    Loopback addresses alone do not protect it: other users of the machine reach them.
    """
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ.pop("RAY_AUTH_TOKEN_PATH", None)


def rejected(text: str) -> bool:
    """Return whether an error or log of Ray says that a cluster rejects the token."""
    return any(word in text for word in REFUSED)


def rejection(address: str) -> str:
    """Return the message for a cluster that rejects the token, or wants one."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        got = "none (RAY_AUTH_MODE is not token)"
    else:
        names = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
        given = [name for name in names if name in os.environ]
        got = f"another, or none, in {(*given, FILE)[0]}"
    return (
        f"--address {address}: the Ray cluster refuses authentication: expected its "
        f"token, got {got}. Set RAY_AUTH_MODE=token and, unless the token is in "
        f"{FILE}, RAY_AUTH_TOKEN_PATH=FILE or RAY_AUTH_TOKEN; `ray "
        "get-auth-token` prints it where the head was started"
    )
