#!/bin/bash
# Train a grid on a SLURM array: task i trains share i of the packs.
#
#   sbatch --array=0-9 deploy/slurm-array.sh my_grid.yaml /shared/results
#
# Submit the same line again to continue; with another number of tasks, too.
#SBATCH --job-name=spiral-sweep
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
set -u
grid=$1
out=$2  # on storage that all nodes share

# The first task of the array decides how shares are counted: 0-9 or 1-10
srun spiral-sweep launch "$grid" --out "$out" \
  --executor local --workers "${SLURM_CPUS_PER_TASK:-1}" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
  --shard-base "${SLURM_ARRAY_TASK_MIN:-0}"
code=$?

# 143: SIGUSR1, two minutes before the time limit; finished packs are saved
if [ "$code" -eq 143 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
