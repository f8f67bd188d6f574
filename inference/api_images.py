"""Images in messages: files are sent as data URIs, and stand in the cache's key as digests of their bytes."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from store.records import Message

_TYPES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp"}


def with_images(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """The messages as sent, and as they count for the cache.

    Raises:
        ValueError: an image file cannot be read or is of a type that APIs do not take.
    """
    pairs = [_of_message(message) for message in messages]
    return [sent for sent, _ in pairs], [keyed for _, keyed in pairs]


def _of_message(message: Message) -> tuple[Message, Message]:
    if not isinstance(message.get("content"), list):
        return message, message
    sent, keyed = [], []
    for part in message["content"]:
        if part.get("type") != "image_url":
            sent.append(part)
            keyed.append(part)
            continue
        image = part["image_url"]
        url, name = _load(image["url"])
        sent.append({**part, "image_url": {**image, "url": url}})
        keyed.append({**part, "image_url": {**image, "url": name}})
    return {**message, "content": sent}, {**message, "content": keyed}


def _load(url: str) -> tuple[str, str]:
    """What is sent for an image, and what it is for the cache: its bytes, wherever they came from."""
    if url.startswith(("http://", "https://")):
        return url, url
    if url.startswith("data:"):
        header, _, payload = url.partition(",")
        data = base64.b64decode(payload) if header.endswith(";base64") else payload.encode()
        return url, _name(data)
    path = Path(unquote(urlsplit(url).path) if url.startswith("file://") else url).expanduser()
    if path.suffix.lower() not in _TYPES:
        raise ValueError(f"image {path}: unknown type {path.suffix!r}; valid: {', '.join(_TYPES)}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"image {path}: {error.strerror}") from None
    return f"data:image/{_TYPES[path.suffix.lower()]};base64,{base64.b64encode(data).decode()}", _name(data)


def _name(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
