# spack repo add CLONE/cluster/spack
# spack dev-build --source-path CLONE protean@main ^openmpi schedulers=slurm +pmi
from spack.package import *


class Protean(CMakePackage):
    """Meta-training of few-shot learners on MPI ranks."""

    version("main")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3:")
    depends_on("boost@1.71: +program_options")
    depends_on("nlohmann-json@3.9:")
    depends_on("libpng")
    depends_on("libjpeg-turbo")
    depends_on("zlib-api")
    depends_on("libzip")
    depends_on("py-torch@2.6:")

    conflicts("%gcc@:10", msg="C++20 takes GCC 11")

    def cmake_args(self):
        torch = join_path(self.spec["py-torch"].prefix, self.spec["python"].package.platlib, "torch")
        return [
            self.define("PROTEAN_TESTS", False),
            self.define("LIBTORCH_ROOT", torch),
            # Spack sets the instruction set by its target.
            self.define("PROTEAN_ARCH", ""),
        ]

    # The program finds the data set that it ships with in its sources.
    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        install(join_path(self.build_directory, "protean"), prefix.bin)
        install_tree("configs", prefix.share.protean.configs)
        install_tree("launch", prefix.share.protean.launch)
