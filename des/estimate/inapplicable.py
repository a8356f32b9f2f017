"""An estimator that does not cover a plan says why."""

from des.errors import DesError


class Inapplicable(DesError):  # noqa: N818  (an answer, not an accident)
    """The estimator cannot answer for this plan; the message names what stands in its way."""
