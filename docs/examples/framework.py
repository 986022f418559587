#!/usr/bin/env python3
"""A small framework: runs a shell command so many times and ends when each has finished.

    framework.py MASTER[,MASTER...] COUNT COMMAND

Each MASTER is HOST:PORT; those that do not lead tell who does.
"""

import getpass
import http.client
import json
import sys
import time
import urllib.parse

# What each task needs.
NEEDS = {"cpus": 0.1, "mem": 32}

# How long what does not fit, or is not needed, is not to be offered again, in seconds.
SOON, MUCH_LATER = 5, 3600

PATH = "/api/v1/scheduler"


class Lost(Exception):
    """The connection to the master is lost, or there is none yet."""


class Connection:
    """A subscription: a stream of events, and calls that belong to it."""

    def __init__(self, master, framework):
        self.master, self.stream_id = master, None
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": framework}}
        if "id" in framework:
            call["framework_id"] = framework["id"]
        # Heartbeats come every 15 seconds. Who hears nothing for much longer has lost the master.
        self.stream = self.post(call, patience=75)
        if self.stream.status != 200:
            raise Lost(f"{self.stream.status} {self.stream.read().decode()}")
        self.stream_id = self.stream.getheader("Mesos-Stream-Id")
        event = next(self.events())
        if event["type"] == "ERROR":
            sys.exit(event["error"]["message"])
        self.framework_id = event["subscribed"]["framework_id"]

    def post(self, call, patience=10):
        """Posts a call and follows redirections to the master that leads."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.stream_id:
            headers["Mesos-Stream-Id"] = self.stream_id
        try:
            for _ in range(5):
                server = http.client.HTTPConnection(self.master, timeout=patience)
                server.request("POST", PATH, json.dumps(call), headers)
                answer = server.getresponse()
                if answer.status != 307:
                    return answer
                self.master = urllib.parse.urlsplit(answer.getheader("Location")).netloc
        except (OSError, http.client.HTTPException) as error:
            raise Lost(error) from error
        raise Lost("masters send us in a circle")

    def call(self, kind, **more):
        """Makes a call of the framework."""
        call = {"type": kind, "framework_id": self.framework_id}
        if more:
            call[kind.lower()] = more
        answer = self.post(call)
        if answer.status not in (200, 202):
            raise Lost(f"{kind}: {answer.status} {answer.read().decode()}")

    def events(self):
        """Reads events: each is a length in digits, a newline, and so many bytes."""
        try:
            while length := self.stream.readline():
                yield json.loads(self.stream.read(int(length)))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Lost(error) from error
        raise Lost("the master has closed the stream")


class Work:
    """What is to be done, and how far it is."""

    def __init__(self, count, command):
        self.command, self.waiting, self.launched = command, count, 0
        self.running = {}  # ids of tasks that have not ended, and where they are
        self.unsure = set()  # those that the master has not spoken of since we came back

    def go_on(self, connection):
        """Handles events until all is done."""
        # While we were away tasks may have ended, and launches may have been lost on the way.
        self.unsure = set(self.running)
        self.reconcile(connection)
        events = connection.events()
        while self.waiting or self.running:
            event = next(events)
            if event["type"] == "OFFERS":
                for offer in event["offers"]["offers"]:
                    self.offered(connection, offer)
            elif event["type"] == "UPDATE":
                self.updated(connection, event["update"]["status"])
            elif event["type"] == "HEARTBEAT":
                # A master that was elected just now answers for an agent when that has come back.
                self.reconcile(connection)
            elif event["type"] == "ERROR":
                sys.exit(event["error"]["message"])

    def offered(self, connection, offer):
        """Launches as many tasks as fit. An offer may be only a part of what its agent has, so each
        is looked at: one that holds too little is declined."""
        held = {name: 0 for name in NEEDS}
        for resource in offer["resources"]:
            if resource["name"] in held:
                held[resource["name"]] += resource["scalar"]["value"]
        # Amounts have three decimal places.
        fits = (round(1000 * held[name]) // round(1000 * NEEDS[name]) for name in NEEDS)
        count = min(self.waiting, *fits)
        tasks = [self.next_task(offer["agent_id"]) for _ in range(count)]
        filters = {"refuse_seconds": SOON if self.waiting else MUCH_LATER}
        if tasks:
            launch = {"type": "LAUNCH", "launch": {"task_infos": tasks}}
            connection.call("ACCEPT", offer_ids=[offer["id"]], operations=[launch], filters=filters)
        else:
            connection.call("DECLINE", offer_ids=[offer["id"]], filters=filters)

    def next_task(self, agent_id):
        name = f"task-{self.launched}"
        self.waiting -= 1
        self.launched += 1
        self.running[name] = agent_id
        return {
            "name": name,
            "task_id": {"value": name},
            "agent_id": agent_id,
            "command": {"value": self.command},
            "resources": [
                {"name": resource, "type": "SCALAR", "scalar": {"value": need}}
                for resource, need in NEEDS.items()
            ],
        }

    def updated(self, connection, status):
        """Takes a status, and acknowledges it when that is done: until then it comes again."""
        name, state = status["task_id"]["value"], status["state"]
        print(f"{name}: {state}", flush=True)
        self.unsure.discard(name)
        if state not in ("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING"):
            if self.running.pop(name, None) and state != "TASK_FINISHED":
                self.ended_badly(connection, status)
        # The master's own statuses, such as answers to RECONCILE, have no uuid and want no answer.
        if "uuid" in status:
            connection.call(
                "ACKNOWLEDGE",
                agent_id=status["agent_id"], task_id=status["task_id"], uuid=status["uuid"],
            )

    def ended_badly(self, connection, status):
        """What got lost is done again; what failed would fail again."""
        if status["state"] != "TASK_LOST":
            connection.call("TEARDOWN")
            sys.exit(f"{status['task_id']['value']}: {status.get('message')}")
        self.waiting += 1
        # Ends our filters: what we did not need, we need now.
        connection.call("REVIVE")

    def reconcile(self, connection):
        """Asks for the statuses of tasks that we are not sure of. To ask for none would be to ask
        for all."""
        if self.unsure:
            tasks = [
                {"task_id": {"value": name}, "agent_id": self.running[name]}
                for name in self.unsure
            ]
            connection.call("RECONCILE", tasks=tasks)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    masters, count, command = sys.argv[1:]
    masters = masters.split(",")
    # Tasks outlive their agent's restart, and for a minute us.
    framework = {
        "user": getpass.getuser(), "name": "example",
        "checkpoint": True, "failover_timeout": 60,
    }
    work = Work(int(count), command)
    while True:
        try:
            connection = Connection(masters[0], framework)
            print(f"subscribed as {connection.framework_id['value']}", flush=True)
            # With its id the framework comes back as the one it was.
            framework["id"] = connection.framework_id
            work.go_on(connection)
            connection.call("TEARDOWN")
            return
        except Lost as error:
            print(f"no connection: {error}", flush=True)
            masters.append(masters.pop(0))
            time.sleep(1)


if __name__ == "__main__":
    main()
