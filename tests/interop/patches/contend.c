/* Lets the master inside libmesos contend for leadership in ZooKeeper.
 *
 * A cluster started on "local" gives its master a StandaloneMasterContender and a
 * StandaloneMasterDetector, which know of that master alone. After contend() their calls go to
 * the contender and the detector that a master has when it is started with --zk.
 */
#include "divert.h"

#define STRING "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
#define CREATE "6createERK6OptionI" STRING "ESC_RKS3_I8DurationE"
#define CONTENDER "_ZN5mesos6master9contender"
#define DETECTOR "_ZN5mesos6master8detector"

/* The first word of an Option. */
enum { SOME = 0, NONE = 1 };

struct option_string {
  int state;
  struct string value;
};

/* Short, so that tests need not wait long for the death of a master; in nanoseconds. */
static const int64_t SESSION = 2000000000;

struct option_duration {
  int state;
  int64_t value;
};

/* Try<T *>: an Option<T *>, and an error that is not looked at but has room. */
struct try {
  int state;
  void *value;
  char error[256];
};

typedef struct try *create(struct try *made, const struct option_string *zk,
                           const struct option_string *module, const struct option_duration *session);

static void *contender, *detector;
static void (*initialize)(void *contender, const void *info);
static void *(*contending)(void *future, void *contender);
static void *(*detect)(void *future, void *detector, const void *previous);

static void initialize_ours(void *ignored, const void *info) {
  (void)ignored;
  initialize(contender, info);
}

static void *contend_ours(void *future, void *ignored) {
  (void)ignored;
  return contending(future, contender);
}

static void *detect_ours(void *future, void *ignored, const void *previous) {
  (void)ignored;
  return detect(future, detector, previous);
}

static void *made(create *create, const char *url) {
  struct option_string zk = {SOME, {url, strlen(url), ""}}, module = {.state = NONE};
  struct option_duration timeout = {SOME, SESSION};
  struct try answer = {.state = NONE};
  create(&answer, &zk, &module, &timeout);
  return answer.state == SOME ? answer.value : NULL;
}

/* `library` is loaded already; `url` is as in zk://10.0.0.1:2181/mesos. Nothing, or what is wrong. */
const char *contend(const char *library, const char *url) {
  void *mesos = dlopen(library, RTLD_NOLOAD | RTLD_NOW);
  if (!mesos)
    return "libmesos is not loaded";
  create *make_contender = (create *)dlsym(mesos, CONTENDER "15MasterContender" CREATE);
  create *make_detector = (create *)dlsym(mesos, DETECTOR "14MasterDetector" CREATE);
  initialize = dlsym(mesos, CONTENDER "24ZooKeeperMasterContender10initializeERKNS_10MasterInfoE");
  contending = dlsym(mesos, CONTENDER "24ZooKeeperMasterContender7contendEv");
  detect = dlsym(mesos, DETECTOR "23ZooKeeperMasterDetector6detectERK6OptionINS_10MasterInfoEE");
  uint8_t *initializes = dlsym(mesos, CONTENDER "25StandaloneMasterContender10initializeERKNS_10MasterInfoE");
  uint8_t *contends = dlsym(mesos, CONTENDER "25StandaloneMasterContender7contendEv");
  uint8_t *detects = dlsym(mesos, DETECTOR "24StandaloneMasterDetector6detectERK6OptionINS_10MasterInfoEE");
  if (!make_contender || !make_detector || !initialize || !contending || !detect || !initializes ||
      !contends || !detects)
    return "this libmesos has no contenders and detectors";
  contender = made(make_contender, url);
  detector = made(make_detector, url);
  if (!contender || !detector)
    return "libmesos takes no such URL";
  if (divert(initializes, initialize_ours) || divert(contends, contend_ours) ||
      divert(detects, detect_ours))
    return "the code can't be made writable";
  return NULL;
}
