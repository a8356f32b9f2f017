"""The HTTP service: figures of a chain in a second, runs of whole scenarios, and a page to play with.

`application.py` puts it together. It needs the extra `serve` (FastAPI and uvicorn).
"""
