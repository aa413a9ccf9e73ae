"""Whether the daemon's memory stays what it is."""

# What the daemon keeps has bounds: the latest events, the last output of each probe, some probes that have ended. Memory
# grows until they are reached, and malloc has left over what it will: that is the warm-up, and it has a bound, too.
WARM_UP = 20000  # steps
GROWTH_MAX = 4096  # KiB

# From then on pages come and go with the probes that there are. That is noise, and the slope is that of a line through
# many points. A leak of ten bytes a step would be ten times as steep as what is allowed.
POINTS_MIN = 100
SLOPE_MAX = 1.0  # KiB in a thousand steps


def slope(points):
    """Of the line that lies nearest to all of them."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / sum((x - x_mean) ** 2 for x, _ in points)


class Memory:
    """Of a daemon that nothing ends: at each point the steps that there were, and its memory in KiB."""

    def __init__(self):
        self.points = []

    def note(self, steps, kib):
        self.points.append((steps, kib))

    def warm(self):
        return [point for point in self.points if point[0] - self.points[0][0] >= WARM_UP]

    def check(self):
        growth = max(kib for _, kib in self.points) - self.points[0][1]
        assert growth <= GROWTH_MAX, f"the daemon's memory has grown by {growth} KiB"
        warm = self.warm()
        if len(warm) >= POINTS_MIN:
            assert slope(warm) * 1000 <= SLOPE_MAX, f"the daemon grows by {slope(warm) * 1000:.2f} KiB in a thousand steps"

    def figures(self):
        yield f"memory: {self.points[0][1]} KiB at first, {self.points[-1][1]} KiB in the end"
        warm = self.warm()
        if len(warm) >= POINTS_MIN:
            yield f"growth when warm: {slope(warm) * 1000:.3f} KiB in a thousand steps, over {len(warm)} quiet points"
        else:
            yield "growth when warm: too short to tell"
