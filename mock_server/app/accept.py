"""Content negotiation by `Accept` (RFC 9110, 12.5.1)."""


def acceptable(accept: str, media: str) -> bool:
    """Whether an `Accept` header takes a media type; the most specific range decides."""
    best, taken = -1, False
    for part in accept.split(","):
        essence, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        if essence == media:
            rank = 2
        elif essence == media.partition("/")[0] + "/*":
            rank = 1
        elif essence in ("*/*", "*"):
            rank = 0
        else:
            continue
        if rank > best:
            best, taken = rank, quality.strip("0.") != ""
    return taken
