"""Engine vmap with a notebook, for methods that it alone trains fast."""

from spiral import engines
from spiral.experiment import training
from tests.methods import prepared

SHORT = {"epochs": 5, "batch": 4992}
"""Ten steps an epoch; as the batch fills torch's vectors, no bit depends on a pack."""


class Noting:
    """Engine vmap; it notes what it is given and what it makes of it."""

    def __init__(self):
        self.jobs, self.starts, self.ends, self.networks = [], [], [], []

    def advance(self, job, state, stop):
        end = engines.build("vmap").advance(job, state, stop)
        if stop > state.step:
            self.networks.append(job.networks)
            self.jobs.append(job)
            self.starts.append(state)
            self.ends.append(end)
        return end


def trained(configs, engine=None):
    """Return the state of a pack after training."""
    method, job, few = prepared(configs)
    return training.train(engine or Noting(), method, job, few)
