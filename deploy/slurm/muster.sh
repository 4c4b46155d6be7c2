#!/bin/bash
# One run as an array of 1 + 32 jobs: job 0 leads it, jobs 1 to 32 work on shards 0 to 31. Each run has a name of its own:
#
#   sbatch --export=ALL,MUSTER_RUN=night-20261129 deploy/slurm/muster.sh customers.csv
#
#SBATCH --job-name=muster
#SBATCH --array=0-32%9
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=12:00:00
#SBATCH --signal=B:TERM@90
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=muster-%A-%a.log
set -u

: "${MUSTER_RUN:?the name of the run, a new one each time}"
: "${MUSTER_LEDGER:?postgresql://... : the jobs are on several machines}"
task=${SLURM_ARRAY_TASK_ID:?this is for sbatch --array}
shards=${SLURM_ARRAY_TASK_MAX:-32}

if [ "$task" = 0 ]; then
  muster run "${1:?INPUT}" --run-id "$MUSTER_RUN" --engine external --shards "$shards" -q &
else
  for _ in $(seq 120); do
    muster status "$MUSTER_RUN" >/dev/null 2>&1 && break
    sleep "${MUSTER_LOOK:-5}"
  done
  muster run-shard --run "$MUSTER_RUN" --shard $((task - 1)) -q &
fi
muster=$!
trap 'kill -TERM "$muster"' TERM INT # the time is nearly over: what is under way ends, the state is saved
wait "$muster"
code=$?
while kill -0 "$muster" 2>/dev/null; do # a signal ended the first wait
  wait "$muster"
  code=$?
done

case $code in
  0 | 1) exit 0 ;; # done; 1: rows need a person, whom `notify` of muster.toml tells
  5 | 6 | 75 | 130 | 143) # again: decisions, a lock, no leader, no target, a signal
    if [ "$task" != 0 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 20 ]; then
      scontrol requeue "${SLURM_ARRAY_JOB_ID}_$task" && exit 0
    fi
    exit "$code" ;;
  *) exit "$code" ;; # never: 2, 3, 4, 7, 8, 70
esac
