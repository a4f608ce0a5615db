/*
 * The floor under `a3s-box run`: the least that can be done to run one command in a clone of an image template.
 * Starts QEMU, loads the template, asks the agent to run the command, waits for its result, kills QEMU. Every byte it sends
 * was prepared beforehand (floor.ts). No records, no logs, no checks, no streams.
 *
 * floor ARGUMENTS QMP HELLO REQUEST STATE SCRATCH-ORIGINAL SCRATCH-COPY
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { QMP_FD = 3, AGENT_FD = 4, STATE_FD = 5, LINE = 45, HEADER = 12, RESULT = 0x1f };

struct bytes {
  char *data;
  size_t size;
};

static struct bytes load(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) err(1, "%s", path);
  struct bytes content = {malloc(st.st_size + 1), st.st_size};
  if (read(fd, content.data, content.size) != (ssize_t)content.size) err(1, "%s", path);
  close(fd);
  return content;
}

static void copy(const char *from, const char *to) {
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  struct stat st;
  if (in < 0 || out < 0 || fstat(in, &st) < 0) err(1, "%s", to);
  for (off_t at = 0; at < st.st_size;)
    if (sendfile(out, in, &at, st.st_size - at) < 0) err(1, "%s", to);
  close(in);
  close(out);
}

static void put(int fd, struct bytes what) {
  if (write(fd, what.data, what.size) != (ssize_t)what.size) err(1, "write");
}

static void get(int fd, void *into, size_t size) {
  for (size_t have = 0; have < size;) {
    ssize_t got = read(fd, (char *)into + have, size - have);
    if (got <= 0) err(1, "the VM has gone");
    have += got;
  }
}

static pid_t spawn(struct bytes arguments, const char *state, const int qmp[2], const int agent[2]) {
  size_t count = 0;
  for (size_t at = 0; at < arguments.size; at++) count += arguments.data[at] == 0;
  char **argv = calloc(count + 1, sizeof *argv);
  char *word = arguments.data;
  for (size_t at = 0; at < count; at++, word += strlen(word) + 1) argv[at] = word;
  pid_t pid = vfork();
  if (pid == 0) {
    int saved = open(state, O_RDONLY);
    int high[] = {fcntl(qmp[1], F_DUPFD, 20), fcntl(agent[1], F_DUPFD, 20), fcntl(saved, F_DUPFD, 20)};
    for (int at = 0; at < 3; at++) dup2(high[at], QMP_FD + at);
    close_range(STATE_FD + 1, ~0U, 0);
    execv(argv[0], argv);
    _exit(127);
  }
  return pid;
}

/* Reads frames of the control stream until its RESULT; true when that says 0. */
static int result(int fd) {
  static char stream[1 << 20];
  size_t have = 0, at = strlen("OK 4090\n");
  for (;;) {
    unsigned char head[HEADER];
    get(fd, head, HEADER);
    uint32_t length;
    memcpy(&length, head + 8, sizeof length);
    if (head[1] != 0) continue;
    get(fd, stream + have, ntohl(length));
    have += ntohl(length);
    for (uint32_t size; have >= at + 5; at += 4 + size) {
      memcpy(&size, stream + at, sizeof size);
      size = ntohl(size);
      if (have < at + 4 + size) break;
      if (stream[at + 4] == RESULT) return memmem(stream + at, 4 + size, "\"exit_code\":0", 13) != NULL;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 8) errx(2, "usage: see the source");
  int qmp[2], agent[2];
  copy(argv[6], argv[7]);
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, qmp) < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, agent) < 0)
    err(1, "socketpair");
  pid_t pid = spawn(load(argv[1]), argv[5], qmp, agent);
  close(qmp[1]);
  close(agent[1]);
  put(qmp[0], load(argv[2]));
  put(agent[0], load(argv[3]));
  char ready[LINE];
  get(agent[0], ready, LINE);
  put(agent[0], load(argv[4]));
  int good = result(agent[0]);
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return good ? 0 : 1;
}
