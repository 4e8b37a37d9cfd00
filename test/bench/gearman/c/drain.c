/*
 * The C yardstick for draining a queue: the least a worker can do on a bare socket. It keeps HELD jobs and grabs in
 * flight, answers every job with "ok" and the next grab, writes once per read, and prints the seconds for COUNT jobs.
 * Usage: drain PORT FUNCTION COUNT HELD
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CAN_DO = 1, GRAB_JOB = 9, JOB_ASSIGN = 11, WORK_COMPLETE = 13, BUFFER = 1 << 20 };

static char in[BUFFER], out[BUFFER];
static size_t out_len = 0;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void add(uint32_t type, const char *body, uint32_t size) {
  uint32_t head[2] = {htonl(type), htonl(size)};
  memcpy(out + out_len, "\0REQ", 4);
  memcpy(out + out_len + 4, head, 8);
  memcpy(out + out_len + 12, body, size);
  out_len += 12 + size;
}

static int flush(int fd) {
  for (size_t sent = 0; sent < out_len;) {
    ssize_t n = write(fd, out + sent, out_len - sent);
    if (n <= 0) return -1;
    sent += n;
  }
  out_len = 0;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  long count = atol(argv[3]), held = atol(argv[4]), done = 0, grabbed = 0;
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  double start = now();
  add(CAN_DO, argv[2], strlen(argv[2]));
  for (; grabbed < held && grabbed < count; grabbed++) add(GRAB_JOB, "", 0);
  if (flush(fd) < 0) return 1;
  for (size_t have = 0; done < count;) {
    ssize_t n = read(fd, in + have, BUFFER - have);
    if (n <= 0) return 1;
    have += n;
    size_t at = 0;
    while (have - at >= 12) {
      uint32_t type, size;
      memcpy(&type, in + at + 4, 4);
      memcpy(&size, in + at + 8, 4);
      size = ntohl(size);
      if (have - at < 12 + size) break;
      if (ntohl(type) == JOB_ASSIGN) {
        char body[128];
        int handle = snprintf(body, 64, "%s", in + at + 12) + 1;
        memcpy(body + handle, "ok", 2);
        add(WORK_COMPLETE, body, handle + 2);
        done++;
      }
      if (grabbed - done < held && grabbed < count) {
        add(GRAB_JOB, "", 0);
        grabbed++;
      }
      at += 12 + size;
    }
    memmove(in, in + at, have - at);
    have -= at;
    if (flush(fd) < 0) return 1;
  }
  printf("%.6f\n", now() - start);
  return 0;
}
