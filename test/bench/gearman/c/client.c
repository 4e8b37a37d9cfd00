/*
 * The C yardstick for clients: libgearman runs COUNT foreground jobs, IN_FLIGHT at once, and prints the seconds it took.
 * Usage: client PORT FUNCTION COUNT IN_FLIGHT BYTES
 */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static long completed = 0;
static gearman_return_t on_complete(gearman_task_st *task) {
  (void)task;
  completed++;
  return GEARMAN_SUCCESS;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  long count = atol(argv[3]), in_flight = atol(argv[4]), bytes = atol(argv[5]);
  char *payload = malloc(bytes);
  memset(payload, 'p', bytes);
  gearman_client_st *client = gearman_client_create(NULL);
  gearman_client_add_server(client, "127.0.0.1", atoi(argv[1]));
  gearman_client_add_options(client, GEARMAN_CLIENT_FREE_TASKS);
  gearman_client_set_complete_fn(client, on_complete);
  double start = now();
  for (long done = 0; done < count;) {
    long batch = count - done < in_flight ? count - done : in_flight;
    for (long i = 0; i < batch; i++) {
      gearman_return_t ret;
      gearman_client_add_task(client, NULL, NULL, argv[2], NULL, payload, bytes, &ret);
      if (gearman_failed(ret)) return 1;
    }
    if (gearman_failed(gearman_client_run_tasks(client))) return 1;
    done += batch;
  }
  printf("%.6f\n", now() - start);
  return completed == count ? 0 : 1;
}
