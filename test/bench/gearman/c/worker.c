/* The C yardstick for workers: a libgearman worker, which holds one job at a time. Usage: worker PORT FUNCTION; ends by signal. */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gearman_return_t run(gearman_job_st *job, void *context) {
  (void)context;
  return gearman_job_send_complete(job, "ok", 2);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  gearman_worker_st *worker = gearman_worker_create(NULL);
  gearman_worker_add_server(worker, "127.0.0.1", atoi(argv[1]));
  gearman_function_t function = gearman_function_create(run);
  gearman_worker_define_function(worker, argv[2], strlen(argv[2]), function, 0, NULL);
  puts("ready");
  fflush(stdout);
  while (gearman_success(gearman_worker_work(worker))) continue;
  return 1;
}
