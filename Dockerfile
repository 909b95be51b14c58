# The whole house in one image; docker-compose.yml says which part of it a container runs.
FROM python:3.11-slim
WORKDIR /varde
COPY requirements/demo.txt requirements/demo.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/demo.txt
COPY . .
# Assets of the pages are fetched by the build hook; without a network the pages work without style.
RUN pip install --no-cache-dir --no-deps . \
    && useradd --system --create-home varde && mkdir /data && chown varde /data
USER varde
ENTRYPOINT ["varde"]
