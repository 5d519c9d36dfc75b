"""The end of a process at a chosen point: before a call of a port, or after it.

A death is an exception that nothing in between may catch. What was written before it stays, what comes after it never was.
"""


class Killed(BaseException):
    """The end of the process."""


class Mortal:
    """A port whose *call*th call kills the process: before it was done, or after."""

    def __init__(self, inner, deaths):
        self.inner = inner
        self.deaths = deaths

    def __getattr__(self, name):
        method = getattr(self.inner, name)
        if not callable(method):
            return method

        def called(*given, **named):
            self.deaths.at("before", name)
            answer = method(*given, **named)
            self.deaths.at("after", name)
            return answer

        return called


class Deaths:
    """When to die: at the *step*th point of all, if any; *points* are those that were passed."""

    def __init__(self, step=None):
        self.step = step
        self.points = []

    def at(self, moment, name):
        self.points.append(f"{moment} {name}")
        if len(self.points) - 1 == self.step:
            raise Killed
