#!/bin/sh
# Who may log in is Dagster's user with the password of the environment: written to memory that is the container's own.
set -eu
umask 077
users=${USERS_FILE:-/dev/shm/users.txt}
password=$(printf %s "$DAGSTER_PG_PASSWORD" | sed 's/"/""/g')
printf '"%s" "%s"\n' "$DAGSTER_PG_USERNAME" "$password" > "$users"
exec pgbouncer "${1:-/etc/pgbouncer/pgbouncer.ini}"
