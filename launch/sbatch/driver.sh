#!/bin/bash
# For sites where nothing may run on the login node: any command as a light job that submits the workers and follows
# them. Options of your site go before the script's name, the command and its words behind it:
#
#   sbatch --account=my-project launch/sbatch/driver.sh collect pool=small cluster=a800
#   sbatch --partition=cpu launch/sbatch/driver.sh suite pool=small cluster=a800
#
# Submit it from the folder in which you would type the command. Its output is driver-<job>.log there.
# If it ends before the collection does, submit it again: it finds the workers that are at work, and what is stored.
#SBATCH --job-name=routeyard-driver
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=1-00:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=driver-%j.log
set -euo pipefail

home=${ROUTEYARD_HOME:-$SLURM_SUBMIT_DIR}
command=${1:?which command? sbatch launch/sbatch/driver.sh collect pool=small cluster=a800}
shift
python=$home/.venv/bin/python
[ -x "$python" ] || python=python
if [ ! -f "$home/launch/$command.py" ]; then
    echo "driver.sh: $home/launch/$command.py does not exist; submit from the project's folder or set ROUTEYARD_HOME" >&2
    exit 2
fi
# What is submitted from here must not inherit this job's own limits.
unset "${!SLURM_CPU@}" "${!SLURM_MEM@}" "${!SLURM_TRES@}" "${!SLURM_JOB@}" "${!SLURM_NTASKS@}" "${!SLURM_NNODES@}" "${!SLURM_ARRAY@}"
exec "$python" "$home/launch/$command.py" "$@"
