#!/usr/bin/env python3
"""A real Apache Mesos 1.11 to hold Reeve against.

The Python package `mesos.scheduler` 1.11.0 carries all of libmesos: a driver that is started on
"local" brings up a real master inside its process, and agents and frameworks can join it; it can
contend for leadership in ZooKeeper (patches/contend.c). It brings up a real agent as well, which is
sent to another master (patches/redirect.c). What that agent starts for containers and commands is
not in the package; stand-ins are in agent/.

    real_mesos.py install DIR                     install it under DIR (once; about 20 s)
    real_mesos.py master DIR IP:PORT WORK [ZK]    run a master with this work directory, which
                                                  contends at zk://HOST:PORT/PATH if that is given
    real_mesos.py agent DIR IP:PORT WORK MASTER   run an agent that joins the master at IP:PORT
    real_mesos.py framework DIR SETTINGS          run framework.py, which says what SETTINGS are

Flags of masters and agents are taken from the environment, as MESOS_RESOURCES. Both end by
themselves after a while, should nobody end them.

Exit status 3: this machine can't have it (no CPython 2.7), with the reason on standard error.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

DEBIAN_PACKAGES = ["libsvn1", "libsasl2-2", "libsasl2-modules", "libapr1", "libcurl3-gnutls"]

# What OpenSSL called these functions when libmesos was built, and what it calls them now.
RENAMED = {
    "SSLv23_method": "TLS_method",
    "SSL_get_peer_certificate": "SSL_get1_peer_certificate",
    "sk_new_null": "OPENSSL_sk_new_null",
    "sk_num": "OPENSSL_sk_num",
    "sk_pop_free": "OPENSSL_sk_pop_free",
    "sk_push": "OPENSSL_sk_push",
    "sk_value": "OPENSSL_sk_value",
}

# How long a master or an agent runs at most, in seconds.
LIFETIME = 900

# Takes no offer. Where there is a master to go to, the agent of this process goes there; where there
# is a ZooKeeper, its master contends there.
PROCESS = """
import ctypes, os, sys, time
import mesos.interface
from mesos.interface import mesos_pb2
from mesos.scheduler import MesosSchedulerDriver, _scheduler

class Bystander(mesos.interface.Scheduler):
    def registered(self, driver, framework_id, master):
        driver.suppressOffers()
    def resourceOffers(self, driver, offers):
        forever = mesos_pb2.Filters()
        forever.refuse_seconds = 86400
        for offer in offers:
            driver.declineOffer(offer.id, forever)

lifetime, patch, master = sys.argv[1:4]
if patch:
    patch = getattr(ctypes.CDLL(patch), os.path.basename(patch).split(".")[0])
    patch.restype = ctypes.c_char_p
    library, master = [ctypes.create_string_buffer(text) for text in (_scheduler.__file__, master)]
    wrong = patch(library, master)
    if wrong:
        sys.exit(wrong)
info = mesos_pb2.FrameworkInfo(user="root", name="bystander")
driver = MesosSchedulerDriver(Bystander(), info, "local")
driver.start()
time.sleep(float(lifetime))
os._exit(0)
"""

HERE = os.path.dirname(os.path.abspath(__file__))


def give_up(reason):
    print(reason, file=sys.stderr)
    sys.exit(3)


def python2():
    places = glob.glob(os.path.expanduser("~/.pyenv/versions/2.7.*/bin/python"))
    for place in places + ["/usr/bin/python2.7", "/usr/local/bin/python2.7"]:
        if os.access(place, os.X_OK):
            return place
    give_up("no CPython 2.7 on this machine, so no real Mesos to compare with")


def quietly(*command, **environment):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, **environment})


def debian_packages():
    missing = [name for name in DEBIAN_PACKAGES
               if subprocess.run(["dpkg", "-s", name], capture_output=True).returncode]
    if not missing:
        return
    if os.geteuid():
        give_up("please install " + " ".join(missing))
    quietly("apt-get", "update", "-q")
    quietly("apt-get", "install", "-y", "-q", *missing)


def packages_of(home):
    return glob.glob(f"{home}/py/lib/python2.7/site-packages")[0]


def install(home):
    if not os.path.exists(f"{home}/ready"):
        packages(home)
    # Made anew each time: it is part of these sources. Running agents keep the old file.
    for name in "redirect", "contend":
        made = f"{home}/{name}.so.{os.getpid()}"
        quietly("gcc", "-shared", "-fPIC", "-O1", "-o", made, f"{HERE}/patches/{name}.c", "-ldl")
        os.rename(made, f"{home}/{name}.so")


def packages(home):
    interpreter = python2()
    debian_packages()
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    quietly(interpreter, "-m", "pip", "install", "-q", "--target", f"{home}/tool",
            "virtualenv==20.15.1")
    quietly(interpreter, "-m", "virtualenv", "-q", "--no-download", f"{home}/py",
            PYTHONPATH=f"{home}/tool")
    quietly(f"{home}/py/bin/pip", "install", "-q", "mesos.interface==1.11.0", "protobuf==3.5.1")
    certificates = os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
    quietly(f"{home}/py/bin/python", "-W", "ignore", "-m", "easy_install", "-q", "--no-deps",
            "mesos.scheduler==1.11.0", SSL_CERT_FILE=certificates)
    egg = glob.glob(f"{packages_of(home)}/mesos.scheduler-*.egg")[0]
    # Both packages are named `mesos`; the first one found wins, so the second moves in with it.
    os.symlink(f"{egg}/mesos/scheduler", f"{packages_of(home)}/mesos/scheduler")
    forwarders(f"{egg}/mesos/scheduler/_scheduler.so", f"{home}/lib")
    open(f"{home}/ready", "w").close()


def needed(library):
    """Symbols the library wants, by the version tag they carry."""
    listing = subprocess.check_output(["nm", "-D", "--undefined-only", library], text=True)
    symbols = re.findall(r"\s(\w+)@@?(\w+)", listing)
    ssl = sorted({name for name, tag in symbols if tag.startswith("OPENSSL_1")})
    curl = sorted({name for name, tag in symbols if tag.startswith("CURL_")})
    return ssl, curl


def forwarders(library, room):
    """libmesos was linked against OpenSSL 1.0 and an old libcurl: small libraries of those names
    pass each call on to what this machine has."""
    os.makedirs(room, exist_ok=True)
    ssl, curl = needed(library)
    forwarder(room, "libssl.so.1.0.0", ssl, ["libcrypto.so.3", "libssl.so.3"])
    forwarder(room, "libcrypto.so.1.0.0", [], [])
    forwarder(room, "libcurl.so.4", curl, ["libcurl-gnutls.so.4"])


def forwarder(room, name, symbols, targets):
    lines = ["#include <dlfcn.h>", "static long nothing(void) { return 1; }"]
    for symbol in symbols:
        lines.append(f'__attribute__((visibility("hidden"))) void *to_{symbol} = (void *)nothing;')
        lines.append(f'__asm__(".text\\n.globl {symbol}\\n.type {symbol},@function\\n'
                     f'{symbol}: jmp *to_{symbol}(%rip)\\n");')
    lines.append("__attribute__((constructor)) static void find(void) { void *lib, *at;")
    for target in targets:
        lines.append(f'lib = dlopen("{target}", RTLD_NOW | RTLD_LOCAL); if (lib) {{')
        for symbol in symbols:
            lines.append(f'at = dlsym(lib, "{RENAMED.get(symbol, symbol)}"); if (at) to_{symbol} = at;')
        lines.append("}")
    lines.append("}")
    source = f"{room}/{name}.c"
    with open(source, "w") as file:
        file.write("\n".join(lines) + "\n")
    quietly("gcc", "-shared", "-fPIC", "-O1", "-o", f"{room}/{name}", source,
            f"-Wl,-soname,{name}", "-ldl")


def run(home, address, work, agents, patch="", master=""):
    ip, port = address.split(":")
    helpers = f"{work}/libexec"
    shutil.copytree(f"{HERE}/agent", helpers, dirs_exist_ok=True)
    environment = {"GLOG_logtostderr": "1", "MESOS_LAUNCHER": "posix",
                   "MESOS_LAUNCHER_DIR": helpers, "MESOS_ISOLATION": "posix/cpu,posix/mem",
                   **os.environ, "LIBPROCESS_IP": ip, "LIBPROCESS_PORT": port,
                   "MESOS_WORK_DIR": work, "MESOS_NUM_SLAVES": agents,
                   "LD_LIBRARY_PATH": f"{home}/lib"}
    python(home, environment, "-c", PROCESS, str(LIFETIME), patch and f"{home}/{patch}.so", master)


def framework(home, settings):
    environment = {"GLOG_logtostderr": "1", **os.environ, "LD_LIBRARY_PATH": f"{home}/lib"}
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "framework.py")
    python(home, environment, script, settings)


def python(home, environment, *arguments):
    interpreter = f"{home}/py/bin/python"
    os.execve(interpreter, [interpreter, *arguments], environment)


if __name__ == "__main__":
    verb, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if verb == "install" and len(arguments) == 1:
        install(os.path.abspath(arguments[0]))
    elif verb == "master" and len(arguments) == 3:
        run(*arguments, agents="0")
    elif verb == "master" and len(arguments) == 4:
        *arguments, zk = arguments
        run(*arguments, agents="0", patch="contend", master=zk)
    elif verb == "agent" and len(arguments) == 4:
        *arguments, master = arguments
        run(*arguments, agents="1", patch="redirect", master=f"master@{master}")
    elif verb == "framework" and len(arguments) == 2:
        framework(os.path.abspath(arguments[0]), arguments[1])
    else:
        sys.exit(__doc__)
