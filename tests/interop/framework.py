"""A framework on the native scheduler driver of Apache Mesos 1.11 (CPython 2.7).

Whoever starts it drives it. It gets its settings as JSON in the first argument: `master`,
`framework` (a FrameworkInfo), and if wanted `explicit` (acknowledgements) and `credential`. Each line
on standard input is a call of the driver, `[NAME, ARGUMENT...]`; each line on standard output is one of
the scheduler's callbacks, `{"event": NAME, ...}`. The end of its input ends it without a word to
the master, as a crash does.
"""

import json
import os
import sys
import threading

import mesos.interface
from google.protobuf.json_format import MessageToDict, ParseDict
from mesos.interface import mesos_pb2 as pb
from mesos.scheduler import MesosSchedulerDriver

# What the driver's calls take; a list of one is a list of such.
CALLS = {
    "abort": [],
    "acceptOffers": [[pb.OfferID], [pb.Offer.Operation], pb.Filters],
    "acknowledgeStatusUpdate": [pb.TaskStatus],
    "declineOffer": [pb.OfferID, pb.Filters],
    "killTask": [pb.TaskID],
    "launchTasks": [[pb.OfferID], [pb.TaskInfo], pb.Filters],
    "reconcileTasks": [[pb.TaskStatus]],
    "requestResources": [[pb.Request]],
    "reviveOffers": [[str]],
    "sendFrameworkMessage": [pb.ExecutorID, pb.SlaveID, str],
    "stop": [bool],
    "suppressOffers": [[str]],
    "updateFramework": [pb.FrameworkInfo, [str]],
}


def read(kind, value):
    if isinstance(kind, list):
        return [read(kind[0], one) for one in value]
    if kind is str:
        return value.encode("utf-8")
    return value if kind is bool else ParseDict(value, kind())


def plain(message):
    return MessageToDict(message, preserving_proto_field_name=True)


class Storyteller(mesos.interface.Scheduler):
    """Tells of each callback."""

    lock = threading.Lock()

    def tell(self, event, **details):
        with self.lock:
            print(json.dumps(dict(details, event=event)))
            sys.stdout.flush()

    def registered(self, driver, framework, master):
        self.tell("registered", framework=framework.value, master=plain(master))

    def reregistered(self, driver, master):
        self.tell("reregistered", master=plain(master))

    def disconnected(self, driver):
        self.tell("disconnected")

    def resourceOffers(self, driver, offers):
        for offer in offers:
            self.tell("offer", offer=plain(offer))

    def offerRescinded(self, driver, offer):
        self.tell("rescinded", offer=offer.value)

    def statusUpdate(self, driver, status):
        self.tell("update", status=plain(status))

    def frameworkMessage(self, driver, executor, agent, data):
        self.tell("message", executor=executor.value, agent=agent.value, data=data)

    def slaveLost(self, driver, agent):
        self.tell("lost", agent=agent.value)

    def executorLost(self, driver, executor, agent, status):
        self.tell("executor-lost", executor=executor.value, agent=agent.value, status=status)

    def error(self, driver, message):
        self.tell("error", message=message)


def main():
    settings = json.loads(sys.argv[1])
    arguments = [
        Storyteller(),
        read(pb.FrameworkInfo, settings["framework"]),
        settings["master"].encode("utf-8"),
        int(not settings.get("explicit")),
    ]
    if settings.get("credential"):
        arguments.append(read(pb.Credential, settings["credential"]))
    driver = MesosSchedulerDriver(*arguments)
    driver.start()
    for line in iter(sys.stdin.readline, ""):
        call = json.loads(line)
        name, values = call[0], call[1:]
        getattr(driver, name)(*[read(kind, value) for kind, value in zip(CALLS[name], values)])
        if name in ("stop", "abort"):
            driver.join()
            arguments[0].tell(name)
    os._exit(0)


main()
