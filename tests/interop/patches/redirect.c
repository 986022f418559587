/* Sends the agent inside libmesos to another master.
 *
 * A cluster started on "local" tells its agents which master to join by one call,
 * StandaloneMasterDetector::appoint(Option<MasterInfo>). After redirect() that call goes to
 * appoint(UPID) instead, with a master of our choice.
 */
#include "divert.h"

#define DETECTOR "_ZN5mesos6master8detector24StandaloneMasterDetector"
#define MAKE_UPID "_ZN7process4UPIDC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"

/* More than a UPID takes; it is built in place and never taken down. */
enum { UPID_ROOM = 1024 };

static void (*make_upid)(void *upid, const struct string *text);
static void (*appoint)(void *detector, const void *upid);
static void *chosen;

static void appoint_chosen(void *detector, void *ignored) {
  (void)ignored;
  appoint(detector, chosen);
}

/* `library` is loaded already; `master` is as in master@10.0.0.1:5050. Nothing, or what is wrong. */
const char *redirect(const char *library, const char *master) {
  void *mesos = dlopen(library, RTLD_NOLOAD | RTLD_NOW);
  if (!mesos)
    return "libmesos is not loaded";
  make_upid = dlsym(mesos, MAKE_UPID);
  appoint = dlsym(mesos, DETECTOR "7appointERKN7process4UPIDE");
  uint8_t *told = dlsym(mesos, DETECTOR "7appointERK6OptionINS_10MasterInfoEE");
  if (!make_upid || !appoint || !told)
    return "this libmesos has no StandaloneMasterDetector";
  struct string text = {master, strlen(master), ""};
  chosen = calloc(1, UPID_ROOM);
  if (!chosen)
    return "out of memory";
  make_upid(chosen, &text);
  return divert(told, appoint_chosen) ? "the code can't be made writable" : NULL;
}
