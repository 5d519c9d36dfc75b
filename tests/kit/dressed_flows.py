"""Hypothesis strategy: flows of every block whose steps are of the kinds that a test is about."""

import attrs
from hypothesis import strategies as st

from kit.random_flows import flows
from watchword import Limits
from watchword.blocks import AtLeast, Fallback, InSequence, Named, OneOf, When
from watchword.powers import is_host_run


@st.composite
def dressed_flows(draw, kinds, *, limits=None, **shape):
    """Draw a flow whose steps are of *kinds*, with these *limits*; *shape* is for `flows`."""
    flow = draw(flows(**{"most_steps": 4, "attempts": 2, **shape}))
    body = dressed(flow.body, iter(lambda: draw(st.sampled_from(kinds)), None))
    return attrs.evolve(flow, body=body, limits=limits or Limits())


def dressed(block, kinds):
    """Return *block* with its steps, as they are met, of the *kinds* that are given."""
    match block:
        case InSequence(parts) | Fallback(parts):
            return attrs.evolve(block, parts=tuple(dressed(part, kinds) for part in parts))
        case OneOf(options) | AtLeast(_, options):
            return attrs.evolve(block, options=tuple(dressed(option, kinds) for option in options))
        case When(_, then, otherwise):
            otherwise = otherwise and dressed(otherwise, kinds)
            return attrs.evolve(block, then=dressed(then, kinds), otherwise=otherwise)
        case Named(name, kind):
            return Named(name, attrs.evolve(next(kinds), attempts=kind.attempts))
        case _ if is_host_run(block):
            return block
    raise AssertionError(block)
