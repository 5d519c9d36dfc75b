"""Hypothesis strategy: flows of every block whose steps are of the kinds that a test is about."""

import attrs
from hypothesis import strategies as st

from kit.random_flows import flows
from watchword import Limits
from watchword.algebra.blocks import map_kinds


@st.composite
def dressed_flows(draw, kinds, *, limits=None, **shape):
    """Draw a flow whose steps are of *kinds*, with these *limits*; *shape* is for `flows`."""
    flow = draw(flows(**{"most_steps": 4, "attempts": 2, **shape}))
    body = dressed(flow.body, iter(lambda: draw(st.sampled_from(kinds)), None))
    return attrs.evolve(flow, body=body, limits=limits or Limits())


def dressed(block, kinds):
    """Return *block* with its steps, as they are met, of the *kinds* that are given."""
    return map_kinds(block, lambda kind: attrs.evolve(next(kinds), attempts=kind.attempts))
