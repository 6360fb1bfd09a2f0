"""numpy and scipy for the modules beside this one, or one line that says how to get them."""

from tertulia.errors import UserError

try:
    import numpy
    from scipy import special
except ImportError as error:
    raise UserError("intervals and comparisons need numpy and scipy: pip install 'tertulia[evaluate]'") from error

__all__ = ["numpy", "special"]
