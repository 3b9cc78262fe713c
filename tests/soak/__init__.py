"""The fault campaign: what RELIABILITY.md promises, attacked.

``make soak`` runs it for ``SOAK_MINUTES``. Each file is one kind of fault; a kind is
made of *turns*, and a turn is drawn from (seed, kind, number) alone, so that
``make soak SOAK="--seed 7 --turn kills:12"`` replays the one that failed.
"""
